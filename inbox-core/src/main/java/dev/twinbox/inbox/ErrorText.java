package dev.twinbox.inbox;

import java.io.PrintWriter;
import java.io.StringWriter;

/** An error as it is stored: the beginning of its stack trace. */
final class ErrorText {
  private static final int LONGEST = 8_000;

  private ErrorText() {}

  static String of(Throwable error) {
    StringWriter text = new StringWriter();
    error.printStackTrace(new PrintWriter(text));
    return text.getBuffer().length() <= LONGEST
        ? text.toString()
        : text.toString().substring(0, LONGEST);
  }
}
