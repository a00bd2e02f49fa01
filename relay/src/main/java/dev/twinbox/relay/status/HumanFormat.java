package dev.twinbox.relay.status;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Formats times, counts, rates and sizes for people. */
public final class HumanFormat {
  private HumanFormat() {}

  /** A time, as in {@code 45 s}, {@code 4 min}, {@code 3 h}, {@code 2 d}; {@code -} for null. */
  public static String time(@Nullable Double seconds) {
    if (seconds == null) {
      return "-";
    }
    double value = seconds;
    if (value < 9.95) {
      return String.format(Locale.ROOT, "%.1f s", value);
    }
    if (value < 90) {
      return Math.round(value) + " s";
    }
    if (value < 90 * 60) {
      return Math.round(value / 60) + " min";
    }
    return value < 36 * 3600 ? Math.round(value / 3600) + " h" : Math.round(value / 86_400) + " d";
  }

  /** A number, as in {@code 12,000}. */
  public static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /** A number that may be an estimate, as in {@code about 12,000}. */
  public static String count(long number, boolean isEstimated) {
    return (isEstimated ? "about " : "") + count(number);
  }

  /** A text in one line, without the full stop at its end. */
  static String line(String text) {
    return text.strip().replaceAll("\\s*\\R\\s*", " ").replaceAll("[.]$", "");
  }

  /** A rate, as in {@code 120/s}; {@code -} for null. */
  public static String rate(@Nullable Double perSecond) {
    if (perSecond == null) {
      return "-";
    }
    return perSecond < 10 && perSecond > 0
        ? String.format(Locale.ROOT, "%.1f/s", perSecond)
        : count(Math.round(perSecond)) + "/s";
  }

  /** A size, as in {@code 12 MB}. */
  public static String size(long bytes) {
    if (bytes < 10_000) {
      return bytes + " B";
    }
    if (bytes < 10_000_000) {
      return bytes / 1_000 + " kB";
    }
    return bytes < 10_000_000_000L ? bytes / 1_000_000 + " MB" : bytes / 1_000_000_000 + " GB";
  }
}
