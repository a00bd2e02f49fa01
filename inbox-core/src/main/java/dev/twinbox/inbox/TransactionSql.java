package dev.twinbox.inbox;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Finds the statements of an SQL text that end a transaction. Reads what PostgreSQL's own scanner
 * would: comments, strings, quoted names and dollar quotes are skipped.
 *
 * <p>Meant for an error at the right place. What it does not find is found by the transaction's id
 * when the inbox commits.
 */
final class TransactionSql {
  private final String sql;
  private int at;

  private TransactionSql(String sql) {
    this.sql = sql;
  }

  /** The first statement that ends a transaction, as {@code COMMIT}, or null when none does. */
  static @Nullable String ending(String sql) {
    return new TransactionSql(sql).find();
  }

  private @Nullable String find() {
    while (true) {
      String first = word();
      String ending =
          switch (first) {
            case "COMMIT", "END", "ABORT" -> first;
            case "ROLLBACK" -> isToSavepoint() ? null : first;
            case "PREPARE" -> isTransactionName() ? "PREPARE TRANSACTION" : null;
            default -> null;
          };
      if (ending != null) {
        return ending;
      }
      if (!skipStatement()) {
        return null;
      }
    }
  }

  private boolean isToSavepoint() {
    String next = word();
    if (next.equals("WORK") || next.equals("TRANSACTION")) {
      next = word();
    }
    return next.equals("TO");
  }

  /** Otherwise it is a prepared statement of that name. */
  private boolean isTransactionName() {
    if (!word().equals("TRANSACTION")) {
      return false;
    }
    skipBlanks();
    return !(at < sql.length() && sql.charAt(at) == '(') && !word().equals("AS");
  }

  /** The next word in upper case; empty where something else stands. */
  private String word() {
    skipBlanks();
    int begin = at;
    while (at < sql.length()
        && (isNameCharacter(sql.charAt(at)) || at > begin && sql.charAt(at) == '$')) {
      at++;
    }
    return sql.substring(begin, at).toUpperCase(Locale.ROOT);
  }

  /** Goes on behind the statement; false at the end of the text. */
  private boolean skipStatement() {
    int depth = 0;
    boolean begin = false;
    while (at < sql.length()) {
      char c = sql.charAt(at);
      if (isNameCharacter(c)) {
        String word = word();
        boolean escapes = word.equals("E") && at < sql.length() && sql.charAt(at) == '\'';
        if (escapes) {
          skipQuoted('\'', true);
        }
        if (begin && word.equals("ATOMIC")) {
          return false; // a function's body, with semicolons and an END of its own
        }
        begin = word.equals("BEGIN");
      } else if (c == '\'' || c == '"') {
        skipQuoted(c, false);
      } else if (c == '$') {
        skipDollarQuoted();
      } else if (isComment()) {
        skipBlanks();
      } else {
        at++;
        if (c == ';' && depth == 0) {
          return true;
        }
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      }
    }
    return false;
  }

  /** Blanks, comments, and the semicolons of empty statements before a first word. */
  private void skipBlanks() {
    while (at < sql.length()) {
      if (sql.charAt(at) <= ' ') {
        at++;
      } else if (sql.startsWith("--", at)) {
        while (at < sql.length() && sql.charAt(at) != '\n' && sql.charAt(at) != '\r') {
          at++;
        }
      } else if (sql.startsWith("/*", at)) {
        skipBlockComment();
      } else {
        return;
      }
    }
  }

  private boolean isComment() {
    return sql.startsWith("--", at) || sql.startsWith("/*", at);
  }

  private void skipBlockComment() {
    int depth = 0;
    do {
      if (sql.startsWith("/*", at)) {
        depth++;
        at += 2;
      } else if (sql.startsWith("*/", at)) {
        depth--;
        at += 2;
      } else {
        at++;
      }
    } while (depth > 0 && at < sql.length());
  }

  private void skipQuoted(char quote, boolean escapes) {
    at++;
    while (at < sql.length()) {
      char c = sql.charAt(at++);
      if (escapes && c == '\\') {
        at++;
      } else if (c == quote) {
        return; // a doubled one begins the next at once
      }
    }
  }

  private void skipDollarQuoted() {
    int end = at + 1;
    while (end < sql.length() && isNameCharacter(sql.charAt(end))) {
      end++;
    }
    boolean tag =
        end < sql.length()
            && sql.charAt(end) == '$'
            && !(end > at + 1 && Character.isDigit(sql.charAt(at + 1)));
    if (!tag) {
      at++; // a parameter
      return;
    }
    String delimiter = sql.substring(at, end + 1);
    int close = sql.indexOf(delimiter, end + 1);
    at = close < 0 ? sql.length() : close + delimiter.length();
  }

  private static boolean isNameCharacter(char c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c == '_'
        || c >= '0' && c <= '9'
        || c >= 128;
  }
}
