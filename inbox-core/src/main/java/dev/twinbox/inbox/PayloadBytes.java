package dev.twinbox.inbox;

import org.jspecify.annotations.Nullable;

/** What a decoder of JSON demands of a message, whichever library reads it. */
final class PayloadBytes {
  private PayloadBytes() {}

  static byte[] of(Delivery delivery) {
    byte[] payload = delivery.payload();
    if (payload == null) {
      throw new IllegalArgumentException("The message is a tombstone: it has no payload.");
    }
    return payload;
  }

  static <T> T present(@Nullable T value) {
    if (value == null) {
      throw new IllegalArgumentException("The payload is JSON null.");
    }
    return value;
  }
}
