package dev.twinbox.relay.cli;

import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.relay.kafka.KafkaBroker;
import dev.twinbox.relay.publish.Broker;
import dev.twinbox.relay.rabbitmq.RabbitBroker;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.function.Supplier;

/** Brokers by their name and their client's properties. */
final class Brokers {
  private Brokers() {}

  /**
   * @param name which broker
   * @param properties asked anew for each connection, so that rotated credentials are taken up
   */
  static Broker make(String name, Supplier<Map<String, String>> properties) {
    if (name.startsWith("rabbitmq")) {
      checkAddress(name, properties.get().get("uri"));
      return RabbitBroker.named(name)
          .properties(
              () -> {
                Map<String, String> now = properties.get();
                checkAddress(name, now.get("uri"));
                return now;
              })
          .build();
    }
    return KafkaBroker.named(name).properties(properties::get).build();
  }

  /** The client's own complaint would repeat the address, password included. */
  private static void checkAddress(String name, @org.jspecify.annotations.Nullable String address) {
    if (address == null) {
      return;
    }
    try {
      new ConnectionFactory().setUri(address);
    } catch (URISyntaxException | GeneralSecurityException | IllegalArgumentException e) {
      throw new CommandException(
          ("%s.uri is no AMQP address: it has the form amqp://user:password@host:port/vhost, and"
                  + " what is special in a URI is written as %%XX.")
              .formatted(name));
    }
  }
}
