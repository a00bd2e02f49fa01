package dev.twinbox.outbox;

import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A message as it is stored: checked whole, its payload encoded.
 *
 * @param message what the user said
 * @param id its id, given or made
 * @param contentType the effective content type, or null
 * @param headers name and value in turn: the user's, then CloudEvents attributes without a column
 * @param payload the bytes, or null for a tombstone
 * @param hash which lane
 * @param size bytes of key, headers and payload
 */
@SuppressWarnings("ArrayRecordComponent") // made and read inside one enqueue
record OutboxRow(
    Message message,
    UUID id,
    @Nullable String contentType,
    List<String> headers,
    byte @Nullable [] payload,
    int hash,
    int size) {

  String broker() {
    return message.destination().broker();
  }

  /** Name and value in turn, a line each. No header holds a line feed, and there always is one. */
  String headerLines() {
    return String.join("\n", headers);
  }

  /** Whether the two differ in nothing but id, key, payload and times. */
  boolean isLike(OutboxRow other) {
    return message.destination().equals(other.message.destination())
        && Objects.equals(message.type(), other.message.type())
        && Objects.equals(contentType, other.contentType)
        && headers.equals(other.headers);
  }

  /** Whether the database's clock has a say: it is due or expires at some time. */
  boolean isTimed() {
    return message.deliverAt() != null
        || message.delay() != null
        || message.expiresAt() != null
        || message.ttl() != null;
  }

  /** Whether it takes the shortest statement. */
  boolean isPlain() {
    return !isTimed() && message.dedupKey() == null;
  }
}
