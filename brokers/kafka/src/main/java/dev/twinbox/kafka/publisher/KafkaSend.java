package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.PendingRecord;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/** One record on its way through a {@link KafkaPublisher}. */
final class KafkaSend extends PendingRecord implements Callback {
  final KafkaPublisher publisher;
  final TopicQueue queue;
  final int bytes;

  /** When the client took it, on the clock of System.nanoTime. */
  long sentAt;

  KafkaSend(
      KafkaPublisher publisher, TopicQueue queue, OutboxRecord record, OutcomeListener listener) {
    super(record, listener);
    this.publisher = publisher;
    this.queue = queue;
    this.bytes = record.size();
  }

  @Override
  public void onCompletion(@Nullable RecordMetadata metadata, @Nullable Exception failure) {
    if (metadata != null && failure == null) {
      publisher.confirmed(this, metadata.partition());
    } else {
      publisher.completed(this, failure);
    }
  }
}
