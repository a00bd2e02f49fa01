package dev.twinbox.inbox;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * The plain text of an attribute that a converter may have written as JSON: Kafka Connect's puts
 * text in quotes and makes a number of 1.0.
 */
final class AttributeText {
  private static final int LONGEST_NUMBER = 8;

  private AttributeText() {}

  /** Without blanks around it, and without the quotes of a JSON string. */
  static String plain(String text) {
    String unquoted = unquoted(text);
    return (unquoted == null ? text : unquoted).strip();
  }

  /** Whether it is the number 1, however it is written. */
  static boolean isOne(String text) {
    if (text.length() > LONGEST_NUMBER) {
      return false;
    }
    try {
      return new BigDecimal(text).compareTo(BigDecimal.ONE) == 0;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  /** What the JSON string says; null when it is none. */
  static @Nullable String unquoted(String quoted) {
    String text = quoted.strip();
    int end = text.length() - 1;
    if (end < 1 || text.charAt(0) != '"' || text.charAt(end) != '"') {
      return null;
    }
    StringBuilder plain = new StringBuilder(end);
    for (int i = 1; i < end; i++) {
      char c = text.charAt(i);
      if (c == '"') {
        return null;
      }
      if (c != '\\') {
        plain.append(c);
        continue;
      }
      i++;
      if (i == end) {
        return null;
      }
      char escaped = text.charAt(i);
      int simple = "\"\\/bfnrt".indexOf(escaped);
      if (simple >= 0) {
        plain.append("\"\\/\b\f\n\r\t".charAt(simple));
      } else if (escaped == 'u' && i + 4 < end) {
        int code = hex(text, i + 1);
        if (code < 0) {
          return null;
        }
        plain.append((char) code);
        i += 4;
      } else {
        return null;
      }
    }
    return plain.toString();
  }

  private static int hex(String text, int begin) {
    int code = 0;
    for (int i = begin; i < begin + 4; i++) {
      char c = text.charAt(i);
      int digit = c < 128 ? Character.digit(c, 16) : -1;
      if (digit < 0) {
        return -1;
      }
      code = code << 4 | digit;
    }
    return code;
  }
}
