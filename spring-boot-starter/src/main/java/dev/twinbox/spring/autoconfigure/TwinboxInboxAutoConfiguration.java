package dev.twinbox.spring.autoconfigure;

import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.PayloadDecoder;
import dev.twinbox.inbox.PayloadDecoders;
import dev.twinbox.spring.ConsumerSource;
import dev.twinbox.spring.InboxCustomizer;
import dev.twinbox.spring.inbox.Inboxes;
import dev.twinbox.spring.inbox.ListenerLifecycle;
import dev.twinbox.spring.inbox.ListenerRegistry;
import dev.twinbox.spring.inbox.SpringTransactions;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.LazyInitializationExcludeFilter;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.transaction.PlatformTransactionManager;

/** Methods that consume, each message once, in Spring's transaction. */
@AutoConfiguration(
    after = {
      TwinboxAutoConfiguration.class,
      TwinboxJsonAutoConfiguration.class,
      TwinboxKafkaAutoConfiguration.class,
      TwinboxRabbitAutoConfiguration.class
    },
    afterName = "org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration")
@ConditionalOnClass(Inbox.class)
@ConditionalOnBean({TwinboxProperties.class, DataSource.class, PlatformTransactionManager.class})
public final class TwinboxInboxAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  @DependsOnDatabaseInitialization
  Inboxes twinboxInboxes(
      DataSource dataSource,
      PlatformTransactionManager transactionManager,
      TwinboxProperties properties,
      ObjectProvider<InboxCustomizer> customizers) {
    return new Inboxes(
        consumer -> {
          TwinboxProperties.InboxSettings settings = properties.inbox();
          TwinboxProperties.BackoffSettings backoff = settings.backoff();
          Inbox.Builder builder =
              Inbox.builder()
                  .dataSource(dataSource)
                  .schema(properties.schema())
                  .consumer(consumer)
                  .transactions(new SpringTransactions(transactionManager, dataSource))
                  .backoff(new Backoff(backoff.first(), backoff.longest(), backoff.attempts()))
                  .handlerTimeLimit(settings.handlerTimeLimit());
          if (settings.mayOvertake()) {
            builder.mayOvertake();
          }
          customizers.orderedStream().forEach(each -> each.customize(consumer, builder));
          return builder.build();
        });
  }

  @Bean
  @ConditionalOnMissingBean
  Inbox twinboxInbox(Inboxes inboxes, TwinboxProperties properties, ApplicationName application) {
    return inboxes.of(application.consumer(properties.inbox().consumer()));
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnBooleanProperty(name = "twinbox.inbox.enabled", matchIfMissing = true)
  ListenerLifecycle twinboxListeners(
      ConfigurableListableBeanFactory beans,
      Environment environment,
      ObjectProvider<PayloadDecoders> decoders,
      Inboxes inboxes,
      ObjectProvider<ConsumerSource> brokers,
      TwinboxProperties properties,
      ApplicationName application) {
    return new ListenerLifecycle(
        new ListenerRegistry(
            beans,
            environment,
            decoders.getIfAvailable(NoDecoders::new),
            () -> application.consumer(properties.inbox().consumer())),
        inboxes,
        brokers.orderedStream().toList());
  }

  /** Without Jackson there can still be listeners: of bytes, text and deliveries. */
  private static final class NoDecoders implements PayloadDecoders {
    @Override
    public <T> PayloadDecoder<T> of(Class<T> type) {
      throw new IllegalArgumentException(
          "nothing decodes a payload as %s. Add spring-boot-starter-jackson, or declare a bean of PayloadDecoders."
              .formatted(type.getName()));
    }
  }

  @Bean
  static LazyInitializationExcludeFilter twinboxListenersAreNeverLazy() {
    return LazyInitializationExcludeFilter.forBeanTypes(ListenerLifecycle.class);
  }
}
