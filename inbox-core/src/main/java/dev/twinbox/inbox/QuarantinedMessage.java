package dev.twinbox.inbox;

import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A message in quarantine. Times are the database's, except for {@code time} and {@code expiresAt},
 * which its sender gave.
 *
 * @param number names it; messages are redriven in this order
 * @param consumer who could not process it
 * @param messageId the UUID that stands for it in the inbox; null when it has no id
 * @param id the id that its sender gave it, or null
 * @param origin where it came from
 * @param payload the bytes; null for a tombstone, and in lists
 * @param payloadBytes their number; 0 for a tombstone
 * @param reason the code of the reason, see {@link QuarantineReason#code}
 * @param error what its handler threw, or more about the reason
 * @param attempts how often its handler was tried, redrives included
 * @param quarantinedAt when it came into quarantine, or last failed in a redrive
 * @param discardedAt when it was discarded, or null
 * @param redrive the redrive it waits for, or null
 */
@SuppressWarnings("ArrayRecordComponent") // read once, shown, and forgotten
public record QuarantinedMessage(
    long number,
    String consumer,
    @Nullable UUID messageId,
    @Nullable String id,
    @Nullable String source,
    String origin,
    @Nullable String destination,
    @Nullable String key,
    @Nullable String type,
    @Nullable String contentType,
    @Nullable Instant time,
    @Nullable Instant expiresAt,
    Map<String, String> headers,
    byte @Nullable [] payload,
    long payloadBytes,
    String reason,
    @Nullable String error,
    int attempts,
    Instant quarantinedAt,
    @Nullable Instant discardedAt,
    @Nullable String discardedBy,
    @Nullable Long redrive) {

  public QuarantinedMessage {
    headers = Map.copyOf(headers);
  }

  /** Names the message without showing its contents. */
  @Override
  public String toString() {
    return "QuarantinedMessage[%s, consumer=%s, id=%s, reason=%s]"
        .formatted(number, consumer, id, reason);
  }
}
