package dev.twinbox.spring.autoconfigure;

import dev.twinbox.outbox.Outbox;
import dev.twinbox.outbox.PayloadCodec;
import dev.twinbox.spring.OutboxCustomizer;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;

/** The outbox, in Spring's current transaction. */
@AutoConfiguration(after = DataSourceAutoConfiguration.class)
@ConditionalOnBooleanProperty(name = "twinbox.enabled", matchIfMissing = true)
@ConditionalOnSingleCandidate(DataSource.class)
@EnableConfigurationProperties(TwinboxProperties.class)
public final class TwinboxAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  OutboxEvents twinboxOutboxEvents(Environment environment) {
    return new OutboxEvents(environment);
  }

  @Bean
  @ConditionalOnMissingBean
  @DependsOnDatabaseInitialization
  Outbox twinboxOutbox(
      DataSource dataSource,
      TwinboxProperties properties,
      ApplicationName application,
      OutboxEvents events,
      ObjectProvider<PayloadCodec> codec,
      ObjectProvider<OutboxCustomizer> customizers) {
    Outbox.Builder builder =
        Outbox.builder()
            .schema(properties.schema())
            .source(application.source(properties.outbox().source()))
            .maxPayloadBytes(Math.toIntExact(properties.outbox().maxPayloadSize().toBytes()))
            .currentTransaction(
                DSL.using(
                    new DataSourceConnectionProvider(
                        new TransactionAwareDataSourceProxy(dataSource)),
                    SQLDialect.POSTGRES))
            .events(events);
    codec.ifAvailable(builder::codec);
    customizers.orderedStream().forEach(customizer -> customizer.customize(builder));
    return builder.build();
  }

  @Bean
  PublishedEvents twinboxPublishedEvents(Outbox outbox, OutboxEvents events) {
    return new PublishedEvents(outbox, events);
  }

  @Bean
  ApplicationName twinboxApplicationName(Environment environment) {
    return new ApplicationName(environment.getProperty("spring.application.name"));
  }
}
