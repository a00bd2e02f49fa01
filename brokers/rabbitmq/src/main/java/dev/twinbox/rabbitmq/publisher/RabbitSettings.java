package dev.twinbox.rabbitmq.publisher;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ConnectionFactoryConfigurator;
import com.rabbitmq.client.impl.StrictExceptionHandler;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes connections by the user's settings, and refuses those that would break a guarantee. */
final class RabbitSettings {
  private static final Logger log = LoggerFactory.getLogger(RabbitSettings.class);

  private static final String URI = "uri";
  private static final String ADDRESSES = "addresses";
  private static final String MANAGEMENT = "management.uri";

  /** The client's complaint about these would not say which it was. */
  private static final List<String> NUMBERS =
      List.of(
          ConnectionFactoryConfigurator.PORT,
          ConnectionFactoryConfigurator.CONNECTION_CHANNEL_MAX,
          ConnectionFactoryConfigurator.CONNECTION_FRAME_MAX,
          ConnectionFactoryConfigurator.CONNECTION_HEARTBEAT,
          ConnectionFactoryConfigurator.CONNECTION_TIMEOUT,
          ConnectionFactoryConfigurator.HANDSHAKE_TIMEOUT,
          ConnectionFactoryConfigurator.SHUTDOWN_TIMEOUT,
          ConnectionFactoryConfigurator.CHANNEL_RPC_TIMEOUT);

  private final String broker;
  private final Supplier<Map<String, String>> properties;
  private final Consumer<ConnectionFactory> customizer;

  RabbitSettings(
      String broker,
      Supplier<Map<String, String>> properties,
      Consumer<ConnectionFactory> customizer) {
    this.broker = broker;
    this.properties = properties;
    this.customizer = customizer;
  }

  /**
   * A factory by the settings as they are now.
   *
   * @throws IllegalArgumentException for a setting that would break a guarantee
   */
  ConnectionFactory factory() {
    Map<String, String> given = new HashMap<>(properties.get());
    String address = given.get(URI);
    if (address != null) {
      AmqpAddress.check(broker, address);
    }
    NUMBERS.forEach(name -> checkNumber(name, given.get(name)));
    refuse(
        given,
        ConnectionFactoryConfigurator.CONNECTION_RECOVERY_ENABLED,
        "true",
        "a recovered channel numbers its messages anew and confirms the wrong ones; the relay opens"
            + " connections anew itself. Remove the setting.");
    refuse(
        given,
        ConnectionFactoryConfigurator.TOPOLOGY_RECOVERY_ENABLED,
        "true",
        "the relay declares nothing that could be recovered. Remove the setting.");
    for (String timeout :
        List.of(
            ConnectionFactoryConfigurator.CONNECTION_HEARTBEAT,
            ConnectionFactoryConfigurator.CONNECTION_TIMEOUT,
            ConnectionFactoryConfigurator.HANDSHAKE_TIMEOUT,
            ConnectionFactoryConfigurator.CHANNEL_RPC_TIMEOUT)) {
      refuse(given, timeout, "0", "a frozen broker would never be noticed. Set a time.");
    }
    given.putIfAbsent(ConnectionFactoryConfigurator.CONNECTION_HEARTBEAT, "10");
    given.putIfAbsent(ConnectionFactoryConfigurator.CONNECTION_TIMEOUT, "5000");
    given.putIfAbsent(ConnectionFactoryConfigurator.HANDSHAKE_TIMEOUT, "5000");
    given.putIfAbsent(ConnectionFactoryConfigurator.CHANNEL_RPC_TIMEOUT, "10000");
    // The client's own defaults for TLS trust everyone.
    if (given.getOrDefault(URI, "").startsWith("amqps:")) {
      given.putIfAbsent(ConnectionFactoryConfigurator.SSL_ENABLED, "true");
    }
    given.putIfAbsent(ConnectionFactoryConfigurator.SSL_VALIDATE_SERVER_CERTIFICATE, "true");
    given.putIfAbsent(ConnectionFactoryConfigurator.SSL_VERIFY_HOSTNAME, "true");

    ConnectionFactory factory = new ConnectionFactory();
    ConnectionFactoryConfigurator.load(factory, given, "");
    factory.setAutomaticRecoveryEnabled(false);
    factory.setTopologyRecoveryEnabled(false);
    factory.setExceptionHandler(new Quiet());
    customizer.accept(factory);
    if (factory.isAutomaticRecoveryEnabled() || factory.isTopologyRecoveryEnabled()) {
      throw new IllegalArgumentException(
          "Broker %s: configure(...) switches automatic or topology recovery on, which is refused: a recovered channel confirms the wrong messages. Leave both off."
              .formatted(broker));
    }
    if (factory.getRequestedHeartbeat() == 0) {
      throw new IllegalArgumentException(
          "Broker %s: configure(...) switches heartbeats off, which is refused: a frozen broker would never be noticed. Leave the default of 10 s."
              .formatted(broker));
    }
    return factory;
  }

  @Nullable String managementUri() {
    return property(MANAGEMENT);
  }

  @Nullable String property(String name) {
    return properties.get().get(name);
  }

  Connection connect(ConnectionFactory factory, String connectionName)
      throws IOException, TimeoutException {
    String addresses = properties.get().get(ADDRESSES);
    return addresses == null
        ? factory.newConnection(connectionName)
        : factory.newConnection(AmqpAddress.nodes(broker, addresses), connectionName);
  }

  private void checkNumber(String name, @Nullable String value) {
    if (value != null && !value.matches("\\d{1,9}")) {
      throw new IllegalArgumentException(
          "Broker %s: %s is no whole number from 0 to 999999999. Correct or remove the setting."
              .formatted(broker, name));
    }
  }

  private void refuse(Map<String, String> given, String name, String value, String why) {
    String found = given.get(name);
    if (found != null && found.trim().equalsIgnoreCase(value)) {
      throw new IllegalArgumentException(
          "Broker %s: %s=%s is refused: %s".formatted(broker, name, found, why));
    }
  }

  /** Connections are cut on purpose here, and each loss is an outcome: nothing to raise alarm. */
  private static final class Quiet extends StrictExceptionHandler {
    @Override
    public void handleUnexpectedConnectionDriverException(Connection lost, Throwable failure) {
      log.debug("RabbitMQ connection lost", failure);
    }

    @Override
    public void handleConfirmListenerException(Channel channel, Throwable failure) {
      log.error("A confirm could not be handled", failure);
      super.handleConfirmListenerException(channel, failure);
    }
  }
}
