package dev.twinbox.cli;

import dev.twinbox.broker.Broker;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
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
      return RabbitBroker.named(name).properties(properties).build();
    }
    return KafkaBroker.named(name).properties(properties::get).build();
  }
}
