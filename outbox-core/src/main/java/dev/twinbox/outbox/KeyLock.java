package dev.twinbox.outbox;

import java.nio.charset.StandardCharsets;

/**
 * The advisory lock that {@code ordered()} takes on a broker's key. Two keys that hash to one
 * number wait for each other without need, which is harmless; 64 bits make it rare.
 */
final class KeyLock {
  private static final long OFFSET = 0xcbf29ce484222325L;
  private static final long PRIME = 0x100000001b3L;

  private KeyLock() {}

  static long of(String broker, String key) {
    // The zero byte keeps "kafka" + "ab" apart from "kafkaa" + "b"; neither part can hold one.
    long hash = add(add(add(OFFSET, "twinbox\0"), broker + "\0"), key);
    hash ^= hash >>> 33;
    hash *= 0xff51afd7ed558ccdL;
    hash ^= hash >>> 33;
    hash *= 0xc4ceb9fe1a85ec53L;
    return hash ^ (hash >>> 33);
  }

  private static long add(long hash, String text) {
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * PRIME;
    }
    return hash;
  }
}
