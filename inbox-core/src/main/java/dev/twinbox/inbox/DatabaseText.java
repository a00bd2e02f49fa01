package dev.twinbox.inbox;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Makes any text storable in any database, whatever its encoding: what does not fit is written as
 * {@code \}{@code uXXXX}, as in Java's source. NUL and halves of a pair fit nowhere. In a database
 * that is neither UTF-8 nor LATIN1 whatever is not ASCII is written so. Thread-safe.
 */
final class DatabaseText {
  private static final char BACKSLASH = '\\';
  private static final int ESCAPE_LENGTH = 6;

  // A database does not change its encoding.
  private volatile @Nullable IntPredicate fitting;

  /** For people: what fits stays as it is, a backslash too. */
  @Nullable String readable(Connection connection, @Nullable String text) throws SQLException {
    return text == null ? null : readable(text, fitting(connection));
  }

  /** What {@link #restore} makes the same text of again. */
  @Nullable String restorable(Connection connection, @Nullable String text) throws SQLException {
    return text == null ? null : restorable(text, fitting(connection));
  }

  static String readable(String text, IntPredicate fits) {
    return escape(text, fits);
  }

  static String restorable(String text, IntPredicate fits) {
    return escape(text, c -> c != BACKSLASH && fits.test(c));
  }

  /** Whether the text can be stored as it is. */
  boolean fits(Connection connection, @Nullable String text) throws SQLException {
    return text == null || firstMisfit(text, fitting(connection)) < 0;
  }

  static @Nullable String restore(@Nullable String text) {
    if (text == null || text.indexOf(BACKSLASH) < 0) {
      return text;
    }
    StringBuilder restored = new StringBuilder(text.length());
    int at = 0;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == BACKSLASH && at + ESCAPE_LENGTH <= text.length() && text.charAt(at + 1) == 'u') {
        restored.append((char) Integer.parseInt(text, at + 2, at + ESCAPE_LENGTH, 16));
        at += ESCAPE_LENGTH;
      } else {
        restored.append(c);
        at++;
      }
    }
    return restored.toString();
  }

  /** Which characters the database can hold. */
  IntPredicate fitting(Connection connection) throws SQLException {
    IntPredicate known = fitting;
    if (known == null) {
      try (PreparedStatement statement =
              connection.prepareStatement("select current_setting('server_encoding')");
          ResultSet row = statement.executeQuery()) {
        row.next();
        known =
            switch (row.getString(1)) {
              case "UTF8" -> c -> c != 0;
              case "LATIN1" -> c -> c != 0 && c < 256;
              default -> c -> c != 0 && c < 128;
            };
      }
      fitting = known;
    }
    return known;
  }

  static String escape(String text, IntPredicate fits) {
    int misfit = firstMisfit(text, fits);
    if (misfit < 0) {
      return text;
    }
    StringBuilder escaped = new StringBuilder(text.length() + 32).append(text, 0, misfit);
    int at = misfit;
    while (at < text.length()) {
      int c = text.codePointAt(at);
      int units = Character.charCount(c);
      if (isWhole(c) && fits.test(c)) {
        escaped.appendCodePoint(c);
      } else {
        for (int i = at; i < at + units; i++) {
          String hex = Integer.toHexString(text.charAt(i));
          escaped.append("\\u").append("0000", hex.length(), 4).append(hex);
        }
      }
      at += units;
    }
    return escaped.toString();
  }

  private static int firstMisfit(String text, IntPredicate fits) {
    int at = 0;
    while (at < text.length()) {
      int c = text.codePointAt(at);
      if (!isWhole(c) || !fits.test(c)) {
        return at;
      }
      at += Character.charCount(c);
    }
    return -1;
  }

  private static boolean isWhole(int codePoint) {
    return codePoint < Character.MIN_SURROGATE || codePoint > Character.MAX_SURROGATE;
  }

  static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
