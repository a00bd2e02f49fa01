package dev.twinbox.outbox;

import java.util.List;

/** PostgreSQL's text form of an array of text: {@code {"a","b"}}. */
final class ArrayLiteral {
  private ArrayLiteral() {}

  static String of(List<String> elements) {
    StringBuilder literal = new StringBuilder(32 * elements.size()).append('{');
    for (String element : elements) {
      literal.append(literal.length() == 1 ? "\"" : ",\"");
      for (int i = 0; i < element.length(); i++) {
        char c = element.charAt(i);
        if (c == '"' || c == '\\') {
          literal.append('\\');
        }
        literal.append(c);
      }
      literal.append('"');
    }
    return literal.append('}').toString();
  }
}
