package dev.twinbox.contract;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.broker.OutboxRecord;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes records to publish. */
public final class Records {
  private static long position;

  private Records() {}

  public static OutboxRecord record(String destination, @Nullable String key, String payload) {
    return record(destination, key, payload.getBytes(UTF_8));
  }

  public static OutboxRecord record(
      String destination, @Nullable String key, byte @Nullable [] payload) {
    return record(
        destination,
        key,
        payload,
        "text/plain",
        null,
        List.of(new OutboxRecord.Header("ce_source", "/shop")));
  }

  public static synchronized OutboxRecord record(
      String destination,
      @Nullable String key,
      byte @Nullable [] payload,
      @Nullable String contentType,
      @Nullable Instant expiresAt,
      List<OutboxRecord.Header> headers) {
    return new OutboxRecord(
        3,
        ++position,
        UUID.randomUUID(),
        Instant.parse("2026-11-22T08:33:01.000123Z"),
        expiresAt,
        destination,
        key,
        "order.placed",
        contentType,
        headers,
        payload);
  }
}
