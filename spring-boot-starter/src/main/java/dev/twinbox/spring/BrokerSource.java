package dev.twinbox.spring;

import dev.twinbox.broker.Broker;

/**
 * Makes a broker for the relay. Beans of it for Kafka and RabbitMQ come from what Spring Boot knows
 * of them; declare one of your own for another broker, or with the same name in place of ours.
 */
public interface BrokerSource {
  /** As destinations call it: {@code kafka}, {@code rabbitmq}, {@code kafka@billing}. */
  String name();

  /**
   * A new broker. Called at each start of the relay, which closes what it is given.
   *
   * @throws IllegalArgumentException for settings by which messages could be lost
   */
  Broker open();
}
