package dev.twinbox.broker;

import dev.twinbox.broker.doctor.BrokerExamination;
import java.time.InstantSource;
import java.util.List;

/**
 * A configured broker: opens one publisher for each lane that drains to it. Thread-safe.
 *
 * <p>Opening a publisher never fails because the broker is down: its records then get {@link
 * Outcome.Unavailable}.
 */
public interface Broker extends AutoCloseable {
  /**
   * The part of a destination before the colon: {@code kafka}, {@code rabbitmq}, or with a name
   * {@code kafka@billing}.
   */
  String name();

  /** A publisher for one lane; the caller closes it. */
  Publisher open(int lane);

  /**
   * Gives the broker a better clock than this machine's, for times that it has to send: the
   * database's, as far as it is known. The default ignores it.
   */
  default void useClock(InstantSource clock) {}

  /**
   * Looks at the broker as its settings are now, for the doctor and for a relay's guard; waits some
   * seconds for its answer. The caller closes it. The default says that nothing can be read.
   */
  default BrokerExamination examine() {
    return new BrokerExamination.Unreadable(
        name(), "the kind %s is not known".formatted(getClass().getSimpleName()));
  }

  /**
   * How far a consumer is behind; waits some seconds for the answer.
   *
   * @param groupOrQueue a consumer group, or a queue
   * @param topics that the group reads; none for a queue
   * @return one for each topic, or one for the queue; the default says that it cannot be read
   */
  default List<SourceLag> lag(String groupOrQueue, List<String> topics) {
    return List.of(
        SourceLag.unreadable(
            name() + ":" + groupOrQueue,
            topics.isEmpty() ? groupOrQueue : String.join(", ", topics),
            "the kind %s is not known".formatted(getClass().getSimpleName())));
  }

  /**
   * Lets the broker examine its destinations while it publishes, for what it does only where that
   * is safe. A relay calls this before it opens publishers, unless it is set up for development.
   * The default does nothing.
   */
  default void examineWhilePublishing() {}

  /** Closes shared connections. Publishers are closed before. */
  @Override
  void close();
}
