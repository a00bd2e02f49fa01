package dev.twinbox.examples.soak;

import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The brokers to choose from, each with its nodes, its consumer and the faults that fit it. */
enum SoakBrokerChoice {
  KAFKA(
      "Kafka",
      (processes, options) -> KafkaSoak.start(processes, options.seed()),
      KafkaSoak::consume,
      Set.of(FaultKind.RAISE_ALARM)),
  RABBITMQ(
      "RabbitMQ",
      (processes, options) -> RabbitSoak.start(processes, options.rabbitNodes()),
      RabbitSoak::consume,
      Set.of()),
  ROCKETMQ(
      "RocketMQ",
      (processes, options) -> RocketSoak.start(),
      RocketSoak::consume,
      Set.of(FaultKind.RAISE_ALARM));

  private final String title;
  private final Starter starter;
  private final Consumption consumption;
  private final Set<FaultKind> unfit;

  SoakBrokerChoice(String title, Starter starter, Consumption consumption, Set<FaultKind> unfit) {
    this.title = title;
    this.starter = starter;
    this.consumption = consumption;
    this.unfit = unfit;
  }

  /** Starts the nodes, with ways of their own for the relays and consumers to come. */
  @FunctionalInterface
  private interface Starter {
    SoakBroker start(List<String> processes, SoakOptions options);
  }

  /** Starts a consumer as {@link SoakBroker#consumerValues} tell it. */
  @FunctionalInterface
  private interface Consumption {
    AutoCloseable start(Assignment assignment, Inbox inbox, Handler handler);
  }

  /** Its name for people. */
  String title() {
    return title;
  }

  SoakBroker start(List<String> processes, SoakOptions options) {
    return starter.start(processes, options);
  }

  AutoCloseable consume(Assignment assignment, Inbox inbox, Handler handler) {
    return consumption.start(assignment, inbox, handler);
  }

  /** The faults that can be injected with it. */
  List<FaultKind> faults() {
    return Arrays.stream(FaultKind.values()).filter(kind -> !unfit.contains(kind)).toList();
  }

  /** As users type it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
