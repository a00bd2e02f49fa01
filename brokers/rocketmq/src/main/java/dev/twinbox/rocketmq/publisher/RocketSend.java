package dev.twinbox.rocketmq.publisher;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.PendingRecord;
import dev.twinbox.rocketmq.RocketTopic;

/** One record on its way through a {@link RocketPublisher}. */
final class RocketSend extends PendingRecord {
  final RocketTopic topic;

  /** When it was sent, on the clock of System.nanoTime. */
  long since;

  RocketSend(RocketTopic topic, OutboxRecord record, OutcomeListener listener) {
    super(record, listener);
    this.topic = topic;
  }
}
