package dev.twinbox.outbox;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Checks a message as a whole and makes its row. Thread-safe, and knows no database. */
final class MessageEncoder {
  /** W3C Trace Context, version 00 to fe. */
  private static final Pattern TRACEPARENT =
      Pattern.compile("(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");

  private final String source;
  private final int maxBytes;
  private final Supplier<PayloadCodec> codec;
  private final Supplier<@Nullable String> traceparent;

  MessageEncoder(
      String source,
      int maxBytes,
      Supplier<PayloadCodec> codec,
      Supplier<@Nullable String> traceparent) {
    this.source = source;
    this.maxBytes = maxBytes;
    this.codec = codec;
    this.traceparent = traceparent;
  }

  OutboxRow encode(Message message) {
    checkWhole(message);
    UUID given = message.id();
    UUID id = given != null ? given : MessageIds.create(message.deliverAt(), message.delay());
    byte @Nullable [] payload = message.rawPayload();
    String contentType = message.contentType();
    Object json = message.json();
    if (json != null) {
      PayloadCodec encoder = codec.get();
      payload = payload != null ? payload : encoded(encoder, json);
      contentType = contentType != null ? contentType : ContentTypes.checked(encoder.contentType());
    }
    List<String> headers = headers(message);
    String key = message.key();
    int payloadBytes = payload == null ? 0 : payload.length;
    int otherBytes = (key == null ? 0 : Texts.utf8Length(key)) + length(headers);
    long size = (long) payloadBytes + otherBytes;
    if (size > maxBytes) {
      throw new InvalidMessageException(
          "payload",
          ("Message %s is %s (payload %s, key and headers %s); the limit is %s. Raise"
                  + " maxPayloadBytes or store a reference.")
              .formatted(
                  id,
                  Texts.bytes(size),
                  Texts.bytes(payloadBytes),
                  Texts.bytes(otherBytes),
                  Texts.bytes(maxBytes)));
    }
    int hash = key == null ? LaneHash.of(id) : LaneHash.of(key);
    return new OutboxRow(message, id, contentType, headers, payload, hash, (int) size);
  }

  private static void checkWhole(Message message) {
    if (message.type() == null) {
      throw new InvalidMessageException(
          "type", "type is missing. Say what happened: .type(\"order.placed\").");
    }
    if (message.rawPayload() == null && message.json() == null && !message.isTombstone()) {
      throw new InvalidMessageException(
          "payload",
          "payload is missing. Call payload, text or json, or tombstone() for a message without one.");
    }
    if (message.isOrdered() && message.key() == null) {
      throw new InvalidMessageException(
          "ordered", "ordered() needs a key to lock. Set .key(...) or leave ordered() out.");
    }
    Instant due = message.deliverAt();
    Instant expiry = message.expiresAt();
    if (due != null && expiry != null && !expiry.isAfter(due)) {
      throw new InvalidMessageException(
          "expiresAt",
          "expiresAt is %s, not after deliverAt, which is %s: it could never be published. Move one of them, or use ttl, which counts from deliverAt."
              .formatted(expiry, due));
    }
  }

  private static byte[] encoded(PayloadCodec codec, Object json) {
    try {
      return codec.encode(json);
    } catch (RuntimeException e) {
      throw new InvalidMessageException(
          "json",
          "json of %s could not be encoded: %s"
              .formatted(json.getClass().getName(), e.getMessage()),
          e);
    }
  }

  private List<String> headers(Message message) {
    Map<String, String> own = message.headers();
    String trace = trace();
    if (own.isEmpty() && trace == null) {
      return List.of("ce_source", source);
    }
    List<String> all = new ArrayList<>(2 * own.size() + 4);
    own.forEach(
        (name, value) -> {
          all.add(name);
          all.add(value);
        });
    all.add("ce_source");
    all.add(source);
    if (trace != null) {
      all.add("ce_traceparent");
      all.add(trace);
    }
    return all;
  }

  /** Tracing never makes business fail: what is no traceparent is left out. */
  private @Nullable String trace() {
    try {
      String value = traceparent.get();
      return value != null && TRACEPARENT.matcher(value).matches() ? value : null;
    } catch (RuntimeException e) {
      return null;
    }
  }

  private static int length(List<String> texts) {
    int bytes = 0;
    for (String text : texts) {
      bytes += Texts.utf8Length(text);
    }
    return bytes;
  }
}
