package dev.twinbox.inbox;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
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

  /** Starts the description of a delivery, for consumers that people have already. */
  public static Builder builder() {
    return new Builder();
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

  /** Describes a {@link Delivery}; nothing is required. Not thread-safe. */
  public static final class Builder {
    private final Map<String, String> headers = new LinkedHashMap<>();
    private @Nullable String id;
    private @Nullable String source;
    private @Nullable String type;
    private @Nullable String destination;
    private @Nullable String key;
    private @Nullable String contentType;
    private @Nullable Instant time;
    private @Nullable Instant expiresAt;
    private byte @Nullable [] payload;
    private @Nullable String origin;
    private boolean redelivered;
    private @Nullable String defect;

    private Builder() {}

    /** The message id, in any spelling. Default: none, with which a message is quarantined. */
    public Builder id(@Nullable String value) {
      id = value;
      return this;
    }

    /** Who sent it. Default: nobody, so that equal ids of two senders are one message. */
    public Builder source(@Nullable String value) {
      source = value;
      return this;
    }

    /** What it is, for example {@code order.placed}. Default: none. */
    public Builder type(@Nullable String value) {
      type = value;
      return this;
    }

    /** Where its sender meant it to go, for example {@code kafka:orders}. Default: not said. */
    public Builder destination(@Nullable String value) {
      destination = value;
      return this;
    }

    /** The ordering key. Default: none. */
    public Builder key(@Nullable String value) {
      key = value;
      return this;
    }

    /** Media type of the payload. Default: none. */
    public Builder contentType(@Nullable String value) {
      contentType = value;
      return this;
    }

    /** When it was sent. Default: not known. */
    public Builder time(@Nullable Instant value) {
      time = value;
      return this;
    }

    /** From when on it must not be processed any more. Default: never. */
    public Builder expiresAt(@Nullable Instant value) {
      expiresAt = value;
      return this;
    }

    /** One more header. */
    public Builder header(String name, String value) {
      headers.put(name, value);
      return this;
    }

    /** More headers. Default: none. */
    public Builder headers(Map<String, String> values) {
      headers.putAll(values);
      return this;
    }

    /** The bytes, which are not copied. Default null, a tombstone. */
    public Builder payload(byte @Nullable [] value) {
      payload = value;
      return this;
    }

    /**
     * Where it came from, for logs and quarantine. Two messages never share origin and contents.
     * Default: {@code direct:} with the id, or with a random one where it has none.
     */
    public Builder origin(String value) {
      origin = value;
      return this;
    }

    /** Says that it may have been delivered before. Default: it is new. */
    public Builder redelivered(boolean value) {
      redelivered = value;
      return this;
    }

    /** What is wrong with its form; it is then quarantined. Default: nothing. */
    public Builder defect(@Nullable String what) {
      defect = what;
      return this;
    }

    public Delivery build() {
      return new Delivery(
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
          origin != null ? origin : "direct:" + (id != null ? id : UUID.randomUUID()),
          redelivered,
          defect);
    }
  }
}
