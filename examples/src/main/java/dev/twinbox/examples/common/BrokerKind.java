package dev.twinbox.examples.common;

import java.util.Locale;

/** The brokers to choose from. */
public enum BrokerKind {
  KAFKA("Kafka"),
  RABBITMQ("RabbitMQ");

  private final String title;

  BrokerKind(String title) {
    this.title = title;
  }

  /** Its name for people. */
  public String title() {
    return title;
  }

  /** As users type it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
