package dev.twinbox.spring.autoconfigure;

import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.Relay;
import dev.twinbox.spring.BrokerSource;
import dev.twinbox.spring.RelayCustomizer;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.LazyInitializationExcludeFilter;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;

/** The relay inside the service, for the brokers that it knows. */
@AutoConfiguration(
    after = {
      TwinboxAutoConfiguration.class,
      TwinboxKafkaAutoConfiguration.class,
      TwinboxRabbitAutoConfiguration.class
    })
@ConditionalOnClass(Relay.class)
@ConditionalOnBean({Outbox.class, TwinboxProperties.class, DataSource.class})
@ConditionalOnBooleanProperty(name = "twinbox.relay.enabled", matchIfMissing = true)
public final class TwinboxRelayAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  @DependsOnDatabaseInitialization
  RelayLifecycle twinboxRelay(
      DataSource dataSource,
      Outbox outbox,
      ObjectProvider<BrokerSource> brokers,
      TwinboxProperties properties,
      ApplicationName application,
      ObjectProvider<RelayCustomizer> customizers) {
    return new RelayLifecycle(
        new RelayConnections(dataSource, properties.relay()),
        outbox,
        brokers
            .orderedStream()
            .filter(source -> properties.broker(source.name()).enabled())
            .toList(),
        properties,
        application,
        customizers.orderedStream().toList());
  }

  @Bean
  static LazyInitializationExcludeFilter twinboxRelayIsNeverLazy() {
    return LazyInitializationExcludeFilter.forBeanTypes(RelayLifecycle.class);
  }
}
