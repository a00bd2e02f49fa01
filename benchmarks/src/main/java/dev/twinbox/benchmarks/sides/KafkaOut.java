package dev.twinbox.benchmarks.sides;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Rfc3339;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A Kafka producer with the settings of the relay's, sending the records that the relay sends,
 * header by header. For every side that is not the relay. Thread-safe.
 */
public final class KafkaOut implements AutoCloseable {
  private static final Header SPEC_VERSION = header("ce_specversion", "1.0");

  private final Producer<byte[], byte[]> producer;
  private final Confirms confirms;

  /** A producer; the confirms hear of each record that the broker has. */
  public KafkaOut(Place place, Confirms confirms) {
    this.confirms = confirms;
    producer = new KafkaProducer<>(settings(place));
  }

  /** As the relay's, with one buffer as large as those of its four lanes together. */
  public static Map<String, Object> settings(Place place) {
    return Map.of(
        "bootstrap.servers",
        place.get("kafka"),
        "acks",
        "all",
        "enable.idempotence",
        "true",
        "linger.ms",
        "0",
        "batch.size",
        "32768",
        "buffer.memory",
        String.valueOf(64L << 20),
        "key.serializer",
        ByteArraySerializer.class.getName(),
        "value.serializer",
        ByteArraySerializer.class.getName());
  }

  /** Sends; the answer comes when the broker has confirmed. */
  public CompletableFuture<Void> send(OutboxRecord record) {
    CompletableFuture<Void> confirmed = new CompletableFuture<>();
    var unused =
        producer.send(
            encode(record),
            (metadata, failure) -> {
              if (failure == null) {
                confirms.confirmed(record.payload());
                confirmed.complete(null);
              } else {
                confirmed.completeExceptionally(failure);
              }
            });
    return confirmed;
  }

  /** Sends without asking for an answer; {@link #flush} waits for all. */
  public void sendOnly(OutboxRecord record) {
    var unused =
        producer.send(
            encode(record),
            (metadata, failure) -> {
              if (failure == null) {
                confirms.confirmed(record.payload());
              }
            });
  }

  /** Waits until everything is confirmed. */
  public void flush() {
    producer.flush();
  }

  /** The wire format of the relay. */
  public static ProducerRecord<byte[], byte[]> encode(OutboxRecord record) {
    List<Header> headers = new ArrayList<>(record.headers().size() + 9);
    headers.add(SPEC_VERSION);
    headers.add(header("ce_id", record.id().toString()));
    headers.add(header("ce_type", record.type()));
    headers.add(header("ce_time", Rfc3339.micros(record.createdAt())));
    headers.add(header("ce_destination", record.destination()));
    byte[] key = record.key() == null ? null : record.key().getBytes(UTF_8);
    if (key != null) {
      headers.add(new RecordHeader("ce_partitionkey", key));
    }
    if (record.contentType() != null) {
      headers.add(header("content-type", record.contentType()));
    }
    for (OutboxRecord.Header header : record.headers()) {
      headers.add(header(header.name(), header.value()));
    }
    String topic = record.destination().substring(record.destination().indexOf(':') + 1);
    return new ProducerRecord<>(topic, null, null, key, record.payload(), headers);
  }

  @Override
  public void close() {
    producer.close();
  }

  private static Header header(String name, String value) {
    return new RecordHeader(name, value.getBytes(UTF_8));
  }
}
