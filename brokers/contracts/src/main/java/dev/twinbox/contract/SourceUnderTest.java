package dev.twinbox.contract;

import dev.twinbox.inbox.Delivery;
import java.util.List;

/**
 * A topic or queue of one test's own, on a real broker, and what the contract of consumers does to
 * it. It keeps the order of a key.
 */
public interface SourceUnderTest extends AutoCloseable {
  /** Sends a message and returns when the broker has it. Without an id it carries no id at all. */
  void send(SentMessage message);

  /** Starts a consumer, always in the same group; closing it ends it as a service does. */
  AutoCloseable consume(ConsumerSetup setup);

  /**
   * Takes messages from the beginning, as a process would that dies before it settles any, and
   * gives them back. Called while nobody consumes.
   */
  List<Delivery> takeWithoutSettling(int count);

  /**
   * Takes from the running consumer what it has fetched, once: its connection is lost, or its
   * partitions belong to another for a moment.
   */
  void disturb();

  /** How many messages a consumer would get now. Called while nobody consumes. */
  long unsettled();

  /** Removes the topic or queue. */
  @Override
  void close();
}
