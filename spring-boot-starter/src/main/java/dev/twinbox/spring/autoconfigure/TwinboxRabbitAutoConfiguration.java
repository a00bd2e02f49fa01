package dev.twinbox.spring.autoconfigure;

import dev.twinbox.broker.Broker;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.spring.BrokerSource;
import dev.twinbox.spring.ConsumerSource;
import org.springframework.amqp.core.AmqpAdmin;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.amqp.autoconfigure.RabbitAutoConfiguration;
import org.springframework.boot.amqp.autoconfigure.RabbitConnectionDetails;
import org.springframework.boot.amqp.autoconfigure.RabbitConnectionFactoryBeanConfigurer;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** RabbitMQ as Spring Boot knows it: connection details, {@code spring.rabbitmq}, SSL bundles. */
@AutoConfiguration(after = {RabbitAutoConfiguration.class, TwinboxAutoConfiguration.class})
@ConditionalOnClass({RabbitBroker.class, RabbitConnectionDetails.class})
@ConditionalOnBean({
  RabbitConnectionDetails.class,
  RabbitConnectionFactoryBeanConfigurer.class,
  TwinboxProperties.class
})
public final class TwinboxRabbitAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  RabbitClients twinboxRabbitClients(
      RabbitConnectionDetails details,
      RabbitConnectionFactoryBeanConfigurer configurer,
      TwinboxProperties properties) {
    return new RabbitClients(details, configurer, properties.broker("rabbitmq").properties());
  }

  @Bean
  @ConditionalOnMissingBean(name = "twinboxRabbitConsumers")
  ConsumerSource twinboxRabbitConsumers(
      RabbitClients clients, TwinboxProperties properties, ObjectProvider<AmqpAdmin> admin) {
    return new RabbitConsumers(clients, properties, admin.orderedStream().toList());
  }

  @Bean
  @ConditionalOnMissingBean(name = "twinboxRabbitBroker")
  BrokerSource twinboxRabbitBroker(RabbitClients clients) {
    return new BrokerSource() {
      @Override
      public String name() {
        return "rabbitmq";
      }

      @Override
      public Broker open() {
        return RabbitBroker.named("rabbitmq")
            .properties(clients::properties)
            .configure(clients::configure)
            .build();
      }
    };
  }
}
