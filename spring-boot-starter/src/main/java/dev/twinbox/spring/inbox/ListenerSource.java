package dev.twinbox.spring.inbox;

import dev.twinbox.inbox.Delivery;

/**
 * Where messages come from.
 *
 * @param broker {@code kafka} or {@code rabbitmq}
 * @param name of the topic or queue
 */
public record ListenerSource(String broker, String name) {
  /** A topic of Kafka. */
  static ListenerSource topic(String name) {
    return new ListenerSource("kafka", name);
  }

  /** A queue of RabbitMQ. */
  static ListenerSource queue(String name) {
    return new ListenerSource("rabbitmq", name);
  }

  /**
   * Reads {@code kafka:topic} or {@code rabbitmq:/queue}.
   *
   * @throws IllegalArgumentException for anything else
   */
  static ListenerSource of(String destination) {
    if (destination.startsWith("kafka:") && destination.length() > 6) {
      return topic(destination.substring(6));
    }
    if (destination.startsWith("rabbitmq:/") && destination.length() > 10) {
      return queue(destination.substring(10));
    }
    throw new IllegalArgumentException(
        "The destination '%s' is nothing to listen to. Write kafka:topic or rabbitmq:/queue; what an exchange of RabbitMQ gets is listened to by its queue."
            .formatted(destination));
  }

  /** Whether a delivery came from here. */
  boolean isOf(Delivery delivery) {
    String origin = delivery.origin();
    String from = broker + ":" + name + "/";
    return origin.startsWith(from);
  }
}
