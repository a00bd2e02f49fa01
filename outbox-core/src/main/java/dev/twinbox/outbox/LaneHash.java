package dev.twinbox.outbox;

import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * Which lane of its broker a message belongs to: {@code first_lane + hash % lanes}. Every producer
 * in whatever language must come to the same number, or one key would be relayed by two lanes and
 * lose its order; so the hash is specified byte by byte:
 *
 * <ol>
 *   <li>the bytes: the key in UTF-8, or, without a key, the 16 bytes of the message id, most
 *       significant first;
 *   <li>FNV-1a, 32 bit: start with {@code 0x811c9dc5}; for each byte, xor it in, then multiply by
 *       {@code 0x01000193}, modulo 2^32;
 *   <li>MurmurHash3's finalizer: {@code h ^= h >>> 16; h *= 0x85ebca6b; h ^= h >>> 13; h *=
 *       0xc2b2ae35; h ^= h >>> 16}, as FNV's low bits alone spread short keys badly;
 *   <li>the highest bit cleared: 0 to 2^31 - 1.
 * </ol>
 *
 * <p>Test vectors are in docs/wire-format.md.
 */
public final class LaneHash {
  private static final int OFFSET = 0x811c9dc5;
  private static final int PRIME = 0x01000193;

  private LaneHash() {}

  /** The hash of a message with a key. */
  public static int of(String key) {
    int hash = OFFSET;
    for (byte b : key.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * PRIME;
    }
    return finish(hash);
  }

  /** The hash of a message without a key. */
  public static int of(UUID id) {
    return finish(add(add(OFFSET, id.getMostSignificantBits()), id.getLeastSignificantBits()));
  }

  private static int add(int hash, long eightBytes) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      hash = (hash ^ ((int) (eightBytes >>> shift) & 0xff)) * PRIME;
    }
    return hash;
  }

  private static int finish(int hash) {
    int h = hash;
    h ^= h >>> 16;
    h *= 0x85ebca6b;
    h ^= h >>> 13;
    h *= 0xc2b2ae35;
    h ^= h >>> 16;
    return h & Integer.MAX_VALUE;
  }
}
