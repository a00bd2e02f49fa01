package dev.twinbox.rabbitmq.publisher;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.PendingRecord;
import org.jspecify.annotations.Nullable;

/** One record on its way through a {@link RabbitPublisher}. */
final class RabbitSend extends PendingRecord {
  final String exchange;
  final String routingKey;

  /** When it was handed over, then when it was sent; on the clock of System.nanoTime. */
  long since = System.nanoTime();

  /** What the broker said when it returned the message, or null. */
  @Nullable String returned;

  RabbitSend(String exchange, String routingKey, OutboxRecord record, OutcomeListener listener) {
    super(record, listener);
    this.exchange = exchange;
    this.routingKey = routingKey;
  }
}
