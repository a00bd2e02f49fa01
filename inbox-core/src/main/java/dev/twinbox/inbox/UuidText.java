package dev.twinbox.inbox;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads a UUID in any spelling that a converter, a language or a person may give it: in quotes,
 * with blanks, in braces or brackets, as a URN, without its hyphens, in upper case.
 */
final class UuidText {
  private static final int LONGEST = 128;
  private static final int WITH_HYPHENS = 36;
  private static final int WITHOUT_HYPHENS = 32;

  // A hash in hex looks like a UUID without hyphens. So that few of them are taken for a UUIDv7,
  // whose time decides what becomes of a message, its time has to be 2020 to 2099.
  private static final long EARLIEST = 1_577_836_800_000L;
  private static final long LATEST = 4_102_444_800_000L;

  private UuidText() {}

  /** The UUID, or null when the text is something else. */
  static @Nullable UUID parse(String text) {
    if (text.length() == WITH_HYPHENS) {
      UUID plain = plain(text, 0);
      if (plain != null) {
        return plain;
      }
    }
    if (text.length() > LONGEST) {
      return null;
    }
    int begin = 0;
    int end = text.length();
    while (begin < end && isDecoration(text.charAt(begin))) {
      begin++;
    }
    while (begin < end && isDecoration(text.charAt(end - 1))) {
      end--;
    }
    for (String prefix : new String[] {"urn:", "uuid:"}) {
      if (text.regionMatches(/* ignoreCase= */ true, begin, prefix, 0, prefix.length())) {
        begin += prefix.length();
      }
    }
    return switch (end - begin) {
      case WITH_HYPHENS -> plain(text, begin);
      case WITHOUT_HYPHENS -> withoutHyphens(text, begin);
      default -> null;
    };
  }

  private static @Nullable UUID plain(String text, int begin) {
    long high = 0;
    long low = 0;
    for (int i = 0; i < WITH_HYPHENS; i++) {
      char c = text.charAt(begin + i);
      if (i == 8 || i == 13 || i == 18 || i == 23) {
        if (c != '-') {
          return null;
        }
        continue;
      }
      int digit = digit(c);
      if (digit < 0) {
        return null;
      }
      if (i < 18) {
        high = high << 4 | digit;
      } else {
        low = low << 4 | digit;
      }
    }
    return new UUID(high, low);
  }

  private static @Nullable UUID withoutHyphens(String text, int begin) {
    StringBuilder hyphened = new StringBuilder(text).delete(begin + WITHOUT_HYPHENS, text.length());
    hyphened.delete(0, begin);
    for (int at : new int[] {8, 13, 18, 23}) {
      hyphened.insert(at, '-');
    }
    UUID uuid = plain(hyphened.toString(), 0);
    boolean timed = uuid != null && uuid.version() == 7 && uuid.variant() == 2;
    if (!timed || uuid == null) {
      return uuid;
    }
    long millis = InboxIds.millis(uuid);
    return millis >= EARLIEST && millis < LATEST ? uuid : null;
  }

  private static int digit(char c) {
    return c < 128 ? Character.digit(c, 16) : -1;
  }

  private static boolean isDecoration(char c) {
    return c <= ' '
        || "\"'`\\{}()[]<>".indexOf(c) >= 0
        || Character.isWhitespace(c)
        || Character.isSpaceChar(c)
        || c == '\uFEFF' // a byte order mark
        || c == '\u200B'; // a space without width
  }
}
