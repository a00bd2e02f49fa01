package dev.twinbox.rabbitmq.publisher;

import com.rabbitmq.client.AMQP.BasicProperties;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Rfc3339;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The wire format for RabbitMQ: CloudEvents 1.0 as AMQP 0-9-1 properties and headers.
 * docs/wire-format.md has the table; the CloudEvents binding itself is for AMQP 1.0 only.
 */
final class RabbitMessageWriter {
  /** Numbers each publish, so that a returned message can be told from its twins. */
  static final String PUBLISH_NUMBER = "twinbox-publish";

  private static final String PREFIX = "cloudEvents_";
  private static final String RECORD_PREFIX = "ce_";
  private static final String TRACE_PARENT = "ce_traceparent";
  private static final int PERSISTENT = 2;
  private static final byte[] NOTHING = {};

  private RabbitMessageWriter() {}

  /**
   * @param expiration milliseconds after which the broker takes it out of a queue; null for never
   */
  static BasicProperties properties(
      OutboxRecord record, long publishNumber, @Nullable String expiration) {
    record.refuseStructuredMode();
    String id = record.id().toString();
    return new BasicProperties.Builder()
        .messageId(id)
        .type(record.type())
        .contentType(record.contentType())
        .timestamp(Date.from(record.createdAt()))
        .deliveryMode(PERSISTENT)
        .expiration(expiration)
        .headers(headers(record, id, publishNumber))
        .build();
  }

  static byte[] body(OutboxRecord record) {
    byte[] payload = record.payload();
    return payload == null ? NOTHING : payload;
  }

  /** The number that {@link #properties} gave, or null if it is not one of ours. */
  static @Nullable Long publishNumber(BasicProperties properties) {
    Map<String, Object> headers = properties.getHeaders();
    return headers != null && headers.get(PUBLISH_NUMBER) instanceof Long number ? number : null;
  }

  private static Map<String, Object> headers(OutboxRecord record, String id, long publishNumber) {
    Map<String, Object> headers = new HashMap<>(2 * record.headers().size() + 24);
    for (OutboxRecord.Header header : record.headers()) {
      String name = header.name();
      if (name.startsWith(RECORD_PREFIX)) {
        headers.put(PREFIX + name.substring(RECORD_PREFIX.length()), header.value());
        if (name.equals(TRACE_PARENT)) {
          // Tracing libraries look for the plain name.
          headers.put("traceparent", header.value());
        }
      } else {
        headers.put(name, header.value());
      }
    }
    headers.put("cloudEvents_specversion", "1.0");
    headers.put("cloudEvents_id", id);
    headers.put("cloudEvents_type", record.type());
    headers.put("cloudEvents_time", Rfc3339.micros(record.createdAt()));
    headers.put("cloudEvents_destination", record.destination());
    if (record.key() != null) {
      headers.put("cloudEvents_partitionkey", record.key());
    }
    if (record.expiresAt() != null) {
      headers.put("cloudEvents_expirytime", Rfc3339.micros(record.expiresAt()));
    }
    if (record.payload() == null) {
      headers.put("cloudEvents_tombstone", true);
    }
    headers.put(PUBLISH_NUMBER, publishNumber);
    return headers;
  }
}
