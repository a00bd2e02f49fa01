package dev.twinbox.inbox;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A message as it arrived, before anybody has judged it. Immutable as long as nobody writes into
 * the payload, which is not copied; safe to share between threads.
 *
 * @param id the message id; null when the message had none
 * @param source who sent it (CloudEvents {@code source}); tells equal ids of two senders apart when
 *     the id is not a UUIDv7
 * @param type what it is, for example {@code order.placed}
 * @param destination where its sender meant it to go, for example {@code kafka:orders}
 * @param key the ordering key, or null for none
 * @param contentType media type of the payload
 * @param time when it was sent, by its sender's word
 * @param expiresAt from when on it must not be processed any more
 * @param headers the sender's own headers, and CloudEvents extensions under names that begin with
 *     {@code ce_}; never null
 * @param payload the bytes; null for a tombstone
 * @param origin where it came from, for logs and quarantine: {@code kafka:topic/partition/offset}
 *     or {@code rabbitmq:queue/id}. Two messages never share origin and contents
 * @param redelivered whether it may have been delivered before; its attempts are then recorded
 *     before its handler runs
 * @param defect what is wrong with its form, such as an unreadable header; it is then quarantined.
 *     Null when nothing is
 */
@SuppressWarnings("ArrayRecordComponent") // a copy of each payload would cost the hot path
public record Delivery(
    @Nullable String id,
    @Nullable String source,
    @Nullable String type,
    @Nullable String destination,
    @Nullable String key,
    @Nullable String contentType,
    @Nullable Instant time,
    @Nullable Instant expiresAt,
    Map<String, String> headers,
    byte @Nullable [] payload,
    String origin,
    boolean redelivered,
    @Nullable String defect) {

  public Delivery {
    Objects.requireNonNull(origin, "origin");
    headers =
        headers.isEmpty() ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(headers));
  }

  /** A well-formed delivery. */
  public Delivery(
      @Nullable String id,
      @Nullable String source,
      @Nullable String type,
      @Nullable String destination,
      @Nullable String key,
      @Nullable String contentType,
      @Nullable Instant time,
      @Nullable Instant expiresAt,
      Map<String, String> headers,
      byte @Nullable [] payload,
      String origin,
      boolean redelivered) {
    this(
        id,
        source,
        type,
        destination,
        key,
        contentType,
        time,
        expiresAt,
        headers,
        payload,
        origin,
        redelivered,
        null);
  }

  /** The same message, delivered once more. */
  public Delivery again() {
    return redelivered
        ? this
        : new Delivery(
            id,
            source,
            type,
            destination,
            key,
            contentType,
            time,
            expiresAt,
            headers,
            payload,
            origin,
            true,
            defect);
  }

  /** Names the message without showing its contents. */
  @Override
  public String toString() {
    return "Delivery[id=%s, type=%s, key=%s, from %s]".formatted(id, type, key, origin);
  }
}
