package dev.twinbox.broker;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The text form of destinations, {@code broker:address}, as far as it is the same for all brokers:
 * what an address is belongs to its broker. Stateless.
 */
public final class DestinationText {
  private static final int SHOWN_CHARS = 60;

  private DestinationText() {}

  /**
   * The part after the colon.
   *
   * @param broker a broker's name, as in {@code kafka@billing}
   * @param destination as enqueued, as in {@code kafka@billing:invoices}
   * @return null when it is no destination of this broker
   */
  public static @Nullable String addressAt(String broker, String destination) {
    int colon = broker.length();
    return destination.length() > colon
            && destination.charAt(colon) == ':'
            && destination.startsWith(broker)
        ? destination.substring(colon + 1)
        : null;
  }

  /**
   * Refuses what not every client carries unchanged: control characters, halves of surrogate pairs,
   * and text that is too long.
   *
   * @param what the text is, for the message
   * @param maxBytes in UTF-8
   * @throws IllegalArgumentException that says what is wrong
   */
  public static void requireLine(String what, String text, int maxBytes) {
    if (text.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "the %s %s has a control character".formatted(what, shown(text)));
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException(
          "the %s %s is broken text: half a surrogate pair".formatted(what, shown(text)));
    }
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > maxBytes) {
      throw new IllegalArgumentException(
          "the %s %s has %s bytes in UTF-8; the limit is %s bytes"
              .formatted(what, shown(text), bytes, maxBytes));
    }
  }

  /** The start of a text in quotes, fit to be printed on one line. */
  public static String shown(String text) {
    StringBuilder shown = new StringBuilder("'");
    int count = Math.min(text.length(), SHOWN_CHARS);
    for (int i = 0; i < count; i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c) || Character.isSurrogate(c)) {
        shown.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        shown.append(c);
      }
    }
    return shown.append(text.length() > count ? "…'" : "'").toString();
  }
}
