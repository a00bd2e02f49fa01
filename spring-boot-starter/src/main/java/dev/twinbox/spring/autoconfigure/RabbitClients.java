package dev.twinbox.spring.autoconfigure;

import com.rabbitmq.client.ConnectionFactory;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.amqp.rabbit.connection.RabbitConnectionFactoryBean;
import org.springframework.boot.amqp.autoconfigure.RabbitConnectionDetails;
import org.springframework.boot.amqp.autoconfigure.RabbitConnectionFactoryBeanConfigurer;

/**
 * Connections to RabbitMQ: what Spring Boot knows, and on top of it {@code
 * twinbox.brokers.rabbitmq.properties}. Settings of {@code spring.rabbitmq} for templates and
 * listener containers are not used.
 */
public final class RabbitClients {
  /** Where the management plugin answers. */
  static final String MANAGEMENT = "management.uri";

  private final RabbitConnectionDetails details;
  private final RabbitConnectionFactoryBeanConfigurer configurer;
  private final Map<String, String> more;

  RabbitClients(
      RabbitConnectionDetails details,
      RabbitConnectionFactoryBeanConfigurer configurer,
      Map<String, String> more) {
    this.details = details;
    this.configurer = configurer;
    this.more = Map.copyOf(more);
  }

  /** A new factory, with what Spring Boot knows. */
  public ConnectionFactory factory() {
    RabbitConnectionFactoryBean bean = new RabbitConnectionFactoryBean();
    try {
      configurer.configure(bean);
      bean.afterPropertiesSet();
      ConnectionFactory factory = bean.getObject();
      if (factory == null) {
        throw new IllegalStateException("Spring has made no ConnectionFactory.");
      }
      return factory;
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("spring.rabbitmq makes no connection: " + e.getMessage(), e);
    }
  }

  /** {@code host:port,host:port}. */
  public String addresses() {
    return details.getAddresses().stream()
        .map(address -> address.host() + ":" + address.port())
        .collect(Collectors.joining(","));
  }

  /** Where the management plugin answers, or null. */
  public @Nullable String management() {
    return more.get(MANAGEMENT);
  }

  Map<String, String> properties() {
    Map<String, String> properties = new HashMap<>();
    properties.put("addresses", addresses());
    properties.putAll(more);
    return properties;
  }

  /** Gives the relay's factory what Spring Boot knows; ours says the rest, recovery among it. */
  void configure(ConnectionFactory target) {
    ConnectionFactory boots = factory();
    if (!more.containsKey("uri")) {
      target.setHost(boots.getHost());
      target.setPort(boots.getPort());
      target.setVirtualHost(boots.getVirtualHost());
      target.setUsername(boots.getUsername());
      target.setPassword(boots.getPassword());
      if (boots.isSSL()) {
        target.setSocketFactory(boots.getSocketFactory());
        target.setSocketConfigurator(boots.getSocketConfigurator());
      }
    }
  }
}
