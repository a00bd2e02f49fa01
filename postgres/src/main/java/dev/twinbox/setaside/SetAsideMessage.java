package dev.twinbox.setaside;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A message that is set aside. Times are the database's, except for what its sender gave.
 *
 * @param number names it; messages are handled in this order. In the archive: its position
 * @param consumer whose quarantine it lies in, or null
 * @param messageId the UUID that stands for it, or null where it has no id
 * @param id the id that its sender gave it, or null
 * @param source its CloudEvents source, or null where it has not left its outbox
 * @param origin the topic or queue that a consumer received it from, or null
 * @param time when it was enqueued, or the time that its sender gave it
 * @param headers the user's headers
 * @param payload the bytes; null for a tombstone, and in lists
 * @param payloadBytes their number; 0 for a tombstone
 * @param reason the code of the reason why it lies here, or null where there is none
 * @param error what broker, client or handler said
 * @param attempts how often it was tried
 * @param firstFailedAt when it failed first, or null where that is not kept
 * @param at when it was given up, quarantined or enqueued; of a scheduled one: when it is due
 * @param discardedAt when it was discarded, or null
 * @param discardedBy who discarded it, or null
 * @param redrive the redrive that it waits for, or null
 * @param blocksKey whether its key's followers wait for it
 */
@SuppressWarnings("ArrayRecordComponent") // read once, shown, and forgotten
public record SetAsideMessage(
    long number,
    @Nullable String consumer,
    @Nullable UUID messageId,
    @Nullable String id,
    @Nullable String source,
    @Nullable String origin,
    @Nullable String destination,
    @Nullable String key,
    @Nullable String type,
    @Nullable String contentType,
    @Nullable Instant time,
    @Nullable Instant expiresAt,
    Map<String, String> headers,
    byte @Nullable [] payload,
    long payloadBytes,
    @Nullable String reason,
    @Nullable String error,
    int attempts,
    @Nullable Instant firstFailedAt,
    Instant at,
    @Nullable Instant discardedAt,
    @Nullable String discardedBy,
    @Nullable Long redrive,
    boolean blocksKey) {

  public SetAsideMessage {
    headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
  }

  /** Names the message without showing its contents. */
  @Override
  public String toString() {
    return "SetAsideMessage[%s, id=%s, reason=%s]".formatted(number, id, reason);
  }
}
