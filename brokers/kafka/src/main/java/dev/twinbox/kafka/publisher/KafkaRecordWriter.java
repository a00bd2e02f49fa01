package dev.twinbox.kafka.publisher;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Rfc3339;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/**
 * The wire format for Kafka: CloudEvents 1.0 in binary mode. docs/wire-format.md has the table.
 *
 * <p>The record's timestamp is the time of publication. With the time of enqueueing, a topic's
 * retention would remove a long backlog as soon as it arrives.
 */
final class KafkaRecordWriter {
  private static final Header SPEC_VERSION = header("ce_specversion", "1.0");
  private static final String TRACE_PARENT = "ce_traceparent";

  private KafkaRecordWriter() {}

  /** The header that says where all records of a queue go. */
  static Header destination(String destination) {
    return header("ce_destination", destination);
  }

  /**
   * @param timestamp milliseconds since 1970, or null for the client's time
   */
  static ProducerRecord<byte[], byte[]> encode(
      OutboxRecord record, TopicQueue queue, @Nullable Long timestamp) {
    record.refuseStructuredMode();
    List<Header> headers = new ArrayList<>(record.headers().size() + 9);
    headers.add(SPEC_VERSION);
    headers.add(header("ce_id", record.id().toString()));
    headers.add(header("ce_type", record.type()));
    headers.add(header("ce_time", Rfc3339.micros(record.createdAt())));
    headers.add(queue.destination);
    byte[] key = record.key() == null ? null : record.key().getBytes(UTF_8);
    if (key != null) {
      headers.add(new RecordHeader("ce_partitionkey", key));
    }
    if (record.expiresAt() != null) {
      headers.add(header("ce_expirytime", Rfc3339.micros(record.expiresAt())));
    }
    if (record.contentType() != null) {
      headers.add(header("content-type", record.contentType()));
    }
    for (OutboxRecord.Header header : record.headers()) {
      headers.add(header(header.name(), header.value()));
      if (header.name().equals(TRACE_PARENT)) {
        // Tracing libraries look for the plain name.
        headers.add(header("traceparent", header.value()));
      }
    }
    Integer partition = key == null ? null : Integer.valueOf(queue.partition(key));
    return new ProducerRecord<>(queue.topic, partition, timestamp, key, record.payload(), headers);
  }

  private static Header header(String name, String value) {
    return new RecordHeader(name, value.getBytes(UTF_8));
  }
}
