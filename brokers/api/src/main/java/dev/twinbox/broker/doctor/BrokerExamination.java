package dev.twinbox.broker.doctor;

import java.time.Duration;
import java.util.Collection;
import java.util.List;

/** One look at a broker. Nothing is thrown: what cannot be read is a finding. For one thread. */
public interface BrokerExamination extends AutoCloseable {
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

  /** Ends connections to the broker. */
  @Override
  void close();

  /**
   * A broker of which nothing can be said: each look finds that it is not readable.
   *
   * @param name the broker's
   * @param why it cannot be examined
   */
  record Unreadable(String name, String why) implements BrokerExamination {
    @Override
    public List<Finding> broker() {
      return List.of(
          Finding.unknown(
              CommonCheck.NOT_READABLE, name, why, "See for yourself that it is safe."));
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
