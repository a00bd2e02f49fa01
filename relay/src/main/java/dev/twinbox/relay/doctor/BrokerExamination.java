package dev.twinbox.relay.doctor;

import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.relay.kafka.KafkaBroker;
import dev.twinbox.broker.Broker;
import dev.twinbox.relay.rabbitmq.RabbitBroker;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/** One look at a broker. Nothing is thrown: what cannot be read is a finding. For one thread. */
interface BrokerExamination extends AutoCloseable {
  /** What is true of the broker as a whole. */
  List<Finding> broker();

  /**
   * A destination of this broker.
   *
   * @param keyless whether messages without a key go there, as far as that is known
   */
  List<Finding> destination(String destination, boolean keyless);

  /** What a group or, with RabbitMQ, a queue's consumer meets. */
  List<Finding> consumed(String groupOrQueue, Collection<String> topics, Duration horizon);

  @Override
  void close();

  /** Looks at the broker as its settings are now; waits some seconds for its answer. */
  static BrokerExamination open(Broker broker) {
    try {
      if (broker instanceof KafkaBroker kafka) {
        return new KafkaBrokerExamination(kafka);
      }
      if (broker instanceof RabbitBroker rabbit) {
        return new RabbitBrokerExamination(rabbit);
      }
    } catch (IllegalArgumentException e) {
      return new Unreadable(broker.name(), String.valueOf(e.getMessage()));
    }
    return new Unreadable(
        broker.name(), "the kind %s is not known".formatted(broker.getClass().getSimpleName()));
  }

  /** A broker of which nothing can be said. */
  record Unreadable(String name, String why) implements BrokerExamination {
    @Override
    public List<Finding> broker() {
      return List.of(
          Finding.unknown(Check.NOT_READABLE, name, why, "See for yourself that it is safe."));
    }

    @Override
    public List<Finding> destination(String destination, boolean keyless) {
      return broker();
    }

    @Override
    public List<Finding> consumed(
        String groupOrQueue, Collection<String> topics, Duration horizon) {
      return broker();
    }

    @Override
    public void close() {}
  }
}
