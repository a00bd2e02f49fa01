package dev.twinbox.outbox;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Checks of text that is to survive PostgreSQL, Kafka and RabbitMQ unchanged. */
final class Texts {
  private Texts() {}

  /** Text of 1 to {@code maxBytes} bytes in UTF-8, without control characters. */
  static String line(String field, @Nullable String value, int maxBytes, String remedy) {
    String present = present(field, value, remedy);
    if (present.isEmpty()) {
      throw new InvalidMessageException(field, field + " is empty. " + remedy);
    }
    int bytes = utf8Length(field, present);
    if (bytes > maxBytes) {
      throw new InvalidMessageException(
          field,
          "%s is %s in UTF-8; the limit is %s. %s"
              .formatted(field, bytes(bytes), bytes(maxBytes), remedy));
    }
    for (int i = 0; i < present.length(); i++) {
      char c = present.charAt(i);
      if (Character.isISOControl(c)) {
        throw new InvalidMessageException(
            field,
            "%s has the control character %s at index %s, which not every broker carries. Remove or encode it."
                .formatted(field, codeUnit(c), i));
      }
    }
    return present;
  }

  static <T> T present(String field, @Nullable T value, String remedy) {
    if (value == null) {
      throw new InvalidMessageException(field, field + " is null. " + remedy);
    }
    return value;
  }

  /** How many bytes the text takes in UTF-8; refuses half a surrogate pair, which has no bytes. */
  static int utf8Length(String field, String text) {
    int bytes = utf8Length(text);
    if (bytes < 0) {
      throw new InvalidMessageException(
          field,
          "%s is broken text: half a surrogate pair, %s, at index %s. Cut text between code points, not between chars."
              .formatted(field, codeUnit(text.charAt(-bytes - 1)), -bytes - 1));
    }
    return bytes;
  }

  /** The same; for broken text -1 minus the index at which it breaks. */
  static int utf8Length(String text) {
    int bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x80) {
        bytes += 1;
      } else if (c < 0x800) {
        bytes += 2;
      } else if (!Character.isSurrogate(c)) {
        bytes += 3;
      } else if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        bytes += 4;
        i++;
      } else {
        return -1 - i;
      }
    }
    return bytes;
  }

  /** The start of a value, fit to be printed on one line. */
  static String shown(String value) {
    StringBuilder shown = new StringBuilder("'");
    int shownChars = Math.min(value.length(), 60);
    for (int i = 0; i < shownChars; i++) {
      char c = value.charAt(i);
      if (Character.isISOControl(c) || Character.isSurrogate(c)) {
        shown.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        shown.append(c);
      }
    }
    return shown.append(value.length() > shownChars ? "…'" : "'").toString();
  }

  /** How Unicode names it, as in U+000A. */
  static String codeUnit(char c) {
    return String.format(Locale.ROOT, "U+%04X", (int) c);
  }

  static String bytes(long count) {
    return String.format(Locale.ROOT, "%,d bytes", count);
  }
}
