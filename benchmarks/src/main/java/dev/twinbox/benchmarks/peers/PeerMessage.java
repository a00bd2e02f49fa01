package dev.twinbox.benchmarks.peers;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.twinbox.broker.OutboxRecord;
import java.io.Serializable;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * A message as libraries store it that serialize objects: text throughout, so that none has to
 * encode bytes. What does not differ from message to message is not stored, to their advantage.
 *
 * @param id of the message
 * @param createdAt in ISO 8601
 * @param destination as in {@code kafka:orders}
 * @param key the ordering key
 * @param payload printable text
 */
public record PeerMessage(
    String id, String createdAt, String destination, String key, String payload)
    implements Serializable {
  private static final long serialVersionUID = 1;

  static PeerMessage of(OutboxRecord record) {
    byte[] payload = record.payload();
    return new PeerMessage(
        record.id().toString(),
        record.createdAt().toString(),
        record.destination(),
        Objects.requireNonNullElse(record.key(), ""),
        payload == null ? "" : new String(payload, US_ASCII));
  }

  static PeerMessage fresh(String destination, String key, byte[] payload) {
    return new PeerMessage(
        UUID.randomUUID().toString(),
        Instant.now().toString(),
        destination,
        key,
        new String(payload, US_ASCII));
  }

  /** The same record that the relay would send. */
  OutboxRecord toRecord() {
    return new OutboxRecord(
        0,
        0,
        UUID.fromString(id),
        Instant.parse(createdAt),
        null,
        destination,
        key,
        "order.placed",
        "text/plain",
        List.of(new OutboxRecord.Header("ce_source", "/bench")),
        payload.getBytes(US_ASCII));
  }
}
