package dev.twinbox.benchmarks.worker;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Locale;
import java.util.Random;

/**
 * What the messages hold: letters and digits, so that libraries that store text need no escapes,
 * and random, so that nothing gains by compressing them.
 */
public final class SampleTexts {
  private static final byte[] ALPHABET =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".getBytes(US_ASCII);

  private SampleTexts() {}

  /** So many bytes, the same for the same seed. */
  public static byte[] payload(long seed, int bytes) {
    Random random = new Random(seed);
    byte[] payload = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      payload[i] = ALPHABET[random.nextInt(ALPHABET.length)];
    }
    return payload;
  }

  /** A key of ten characters. */
  public static String key(long number) {
    return String.format(Locale.ROOT, "order-%06d", number);
  }
}
