package dev.twinbox.spring.autoconfigure;

import dev.twinbox.broker.Broker;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.spring.BrokerSource;
import dev.twinbox.spring.ConsumerSource;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.annotation.Bean;

/** Kafka as Spring Boot knows it: connection details, {@code spring.kafka}, SSL bundles. */
@AutoConfiguration(after = {KafkaAutoConfiguration.class, TwinboxAutoConfiguration.class})
@ConditionalOnClass({KafkaBroker.class, KafkaConnectionDetails.class})
@ConditionalOnBean({KafkaConnectionDetails.class, KafkaProperties.class, TwinboxProperties.class})
public final class TwinboxKafkaAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  KafkaClients twinboxKafkaClients(
      KafkaConnectionDetails details, KafkaProperties kafka, TwinboxProperties properties) {
    return new KafkaClients(details, kafka, properties.broker("kafka").properties());
  }

  @Bean
  @ConditionalOnMissingBean(name = "twinboxKafkaConsumers")
  ConsumerSource twinboxKafkaConsumers(KafkaClients clients, TwinboxProperties properties) {
    return new KafkaConsumers(clients, properties);
  }

  @Bean
  @ConditionalOnMissingBean(name = "twinboxKafkaBroker")
  BrokerSource twinboxKafkaBroker(KafkaClients clients) {
    return new BrokerSource() {
      @Override
      public String name() {
        return "kafka";
      }

      @Override
      public Broker open() {
        return KafkaBroker.named("kafka").properties(clients::producer).build();
      }
    };
  }
}
