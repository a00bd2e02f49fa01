package dev.twinbox.benchmarks.worker;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Hears of each message that a broker has confirmed: counts it, and notes the time of those whose
 * payload bears a number. Thread-safe.
 */
public final class Confirms {
  private static final byte[] MARK = "number: ".getBytes(US_ASCII);
  private static final int DIGITS = 12;

  private final LongAdder count = new LongAdder();
  private final Map<Long, Long> times = new ConcurrentHashMap<>();

  /** A payload of printable text that bears a number, to be timed. */
  public static byte[] numbered(long number, byte[] filling) {
    byte[] payload = filling.clone();
    System.arraycopy(MARK, 0, payload, 0, MARK.length);
    byte[] digits = String.format(Locale.ROOT, "%012d", number).getBytes(US_ASCII);
    System.arraycopy(digits, 0, payload, MARK.length, DIGITS);
    return payload;
  }

  /** A message with this payload was confirmed just now. */
  public void confirmed(byte @Nullable [] payload) {
    count.increment();
    if (payload != null && bearsNumber(payload)) {
      // The first time counts: a repetition is no later confirm of the same message.
      times.putIfAbsent(
          Long.parseLong(new String(payload, MARK.length, DIGITS, US_ASCII)), System.nanoTime());
    }
  }

  /** How many so far. */
  public long count() {
    return count.sum();
  }

  /** Of how many numbered messages, {@code from} to before {@code to}, and not yet written. */
  public long heard(long from, long to) {
    return times.keySet().stream().filter(number -> number >= from && number < to).count();
  }

  /**
   * Writes number and time of each numbered message, and forgets them. The clock is the machine's
   * monotonic one, the same in all processes.
   */
  public void drainTo(Path file) {
    try {
      Files.writeString(
          file,
          times.entrySet().stream()
              .map(entry -> entry.getKey() + " " + entry.getValue() + "\n")
              .collect(Collectors.joining()));
      times.clear();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean bearsNumber(byte[] payload) {
    if (payload.length < MARK.length + DIGITS) {
      return false;
    }
    for (int i = 0; i < MARK.length; i++) {
      if (payload[i] != MARK[i]) {
        return false;
      }
    }
    return true;
  }
}
