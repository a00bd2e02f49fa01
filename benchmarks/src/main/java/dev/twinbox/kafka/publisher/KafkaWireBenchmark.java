package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.OutboxRecord;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What a message's headers cost on their way to Kafka. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class KafkaWireBenchmark {
  private final TopicQueue queue =
      new TopicQueue("orders", KafkaRecordWriter.destination("kafka:orders"));
  private final OutboxRecord record =
      new OutboxRecord(
          0,
          1,
          UUID.fromString("0197a3c0-0000-7000-8000-000000000001"),
          Instant.parse("2026-11-22T12:00:00.123456Z"),
          null,
          "kafka:orders",
          "order-000042",
          "order.placed",
          "text/plain",
          List.of(new OutboxRecord.Header("ce_source", "/bench")),
          new byte[256]);

  /** Learns how many partitions the topic has. */
  @Setup
  public void look() {
    queue.partitions(4);
    if (queue.isChanging()) {
      throw new IllegalStateException("Nothing was sent yet.");
    }
  }

  /** A record with the headers that every message has. */
  @Benchmark
  public ProducerRecord<byte[], byte[]> encode() {
    return KafkaRecordWriter.encode(record, queue, null);
  }
}
