package dev.twinbox.examples.demo;

import java.util.Locale;
import java.util.function.Supplier;

/** The brokers to choose from. */
enum BrokerKind {
  KAFKA("Kafka", KafkaDemo::start),
  RABBITMQ("RabbitMQ", RabbitDemo::start);

  private final String title;
  private final Supplier<DemoBroker> starter;

  BrokerKind(String title, Supplier<DemoBroker> starter) {
    this.title = title;
    this.starter = starter;
  }

  /** Its name for people. */
  String title() {
    return title;
  }

  DemoBroker start() {
    return starter.get();
  }

  /** As users type it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
