package dev.twinbox.inbox;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Deliveries for tests. */
public final class Messages {
  private Messages() {}

  /** A UUIDv7 of now. */
  public static String id() {
    return id(Instant.now());
  }

  public static String id(Instant time) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    long high = time.toEpochMilli() << 16 | 0x7000 | random.nextInt(0x1000);
    long low = random.nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
    return new UUID(high, low).toString();
  }

  public static Delivery delivery() {
    return delivery(id());
  }

  public static Delivery delivery(@Nullable String id) {
    return delivery(id, null);
  }

  public static Delivery delivery(@Nullable String id, @Nullable String key) {
    return Delivery.builder()
        .id(id)
        .source("/shop")
        .type("order.placed")
        .destination("kafka:orders")
        .key(key)
        .contentType("text/plain")
        .payload("payload".getBytes(StandardCharsets.UTF_8))
        .origin("test:" + UUID.randomUUID())
        .build();
  }

  public static Delivery expiring(String id, Instant expiresAt) {
    return Delivery.builder().id(id).expiresAt(expiresAt).origin("test:" + id).build();
  }
}
