package dev.twinbox.inbox;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An error as it is stored: class, message and the beginning of its stack trace, and the same of
 * its causes. Whatever the error is, there is a text, and it is short.
 */
public final class ErrorText {
  private static final int LONGEST = 8_000;
  private static final int LONGEST_MESSAGE = 2_000;
  private static final int MOST_FRAMES = 40;

  private final StringBuilder text = new StringBuilder();
  private final Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  private ErrorText() {}

  /** The text of an error. */
  public static String of(Throwable error) {
    ErrorText text = new ErrorText();
    text.add("", error);
    return text.text.length() <= LONGEST ? text.text.toString() : text.text.substring(0, LONGEST);
  }

  private void add(String caption, @Nullable Throwable error) {
    if (error == null || text.length() > LONGEST) {
      return;
    }
    text.append(caption);
    if (!seen.add(error)) {
      text.append("[again: ").append(error.getClass().getName()).append("]\n");
      return;
    }
    text.append(Throwables.describe(error, LONGEST_MESSAGE)).append('\n');
    StackTraceElement[] trace = Throwables.stackTrace(error);
    for (int i = 0; i < Math.min(trace.length, MOST_FRAMES); i++) {
      text.append("\tat ").append(trace[i]).append('\n');
    }
    if (trace.length > MOST_FRAMES) {
      text.append("\t... ").append(trace.length - MOST_FRAMES).append(" more\n");
    }
    for (Throwable suppressed : error.getSuppressed()) {
      add("\tSuppressed: ", suppressed);
    }
    add("Caused by: ", Throwables.cause(error));
  }
}
