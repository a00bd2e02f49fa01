package dev.twinbox.redis;

import dev.twinbox.inbox.Delivery;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The names of an inbox' keys. What belongs together in a Cluster has the consumer's hash tag. */
record RedisKeys(
    String prefix, String consumer, @Nullable Function<Delivery, @Nullable String> hashTag) {
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

  /** Short, as there is one for each message: 22 characters for the id. */
  byte[] record(UUID id, Delivery delivery) {
    String tag = hashTag == null ? null : hashTag.apply(delivery);
    String place = tag == null ? "" : "{" + tag + "}:";
    return RedisServer.bytes(prefix + ":" + consumer + ":" + place + name(id));
  }

  /** One that Redis takes for a hash tag: the text between the first braces, if there is any. */
  static @Nullable String tag(@Nullable String key) {
    return key == null || !(key.isEmpty() || key.startsWith("}")) ? key : "_" + key;
  }

  static String name(UUID id) {
    ByteBuffer buffer = ByteBuffer.allocate(16);
    buffer.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    return BASE64.encodeToString(buffer.array());
  }

  byte[] consumerRow() {
    return own("consumer");
  }

  byte[] quarantine() {
    return own("quarantine");
  }

  byte[] quarantineCounter() {
    return own("quarantine-number");
  }

  byte[] quarantined(String name) {
    return own("quarantined:" + name);
  }

  byte[] redrives() {
    return own("redrives");
  }

  private byte[] own(String what) {
    return RedisServer.bytes(prefix + ":{" + consumer + "}:" + what);
  }
}
