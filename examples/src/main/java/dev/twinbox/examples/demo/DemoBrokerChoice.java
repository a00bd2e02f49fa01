package dev.twinbox.examples.demo;

import java.util.Locale;
import java.util.function.Supplier;

/** The brokers to choose from, each with its demo. */
enum DemoBrokerChoice {
  KAFKA("Kafka", KafkaDemo::start),
  RABBITMQ("RabbitMQ", RabbitDemo::start),
  ROCKETMQ("RocketMQ", RocketDemo::start);

  private final String title;
  private final Supplier<DemoBroker> starter;

  DemoBrokerChoice(String title, Supplier<DemoBroker> starter) {
    this.title = title;
    this.starter = starter;
  }

  /** Its name for people. */
  String title() {
    return title;
  }

  /** Starts the broker. */
  DemoBroker start() {
    return starter.get();
  }

  /** As users type it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
