package dev.twinbox.inbox;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the exceptions of others, whose methods may throw, return null, or lead in a circle.
 * Nothing here throws.
 */
final class Throwables {
  private static final int MOST_CAUSES = 100;
  private static final int LONGEST_MESSAGE = 20_000;

  private Throwables() {}

  /** Its class and message, as {@link Throwable#toString} has it; cut off. */
  static String describe(Throwable error, int longest) {
    String text;
    try {
      text = error.toString();
    } catch (Throwable e) { // whatever it is, it must not keep the message in work for ever
      text = null;
    }
    if (text == null) {
      return error.getClass().getName() + " (its message cannot be read)";
    }
    return text.length() <= longest ? text : text.substring(0, longest) + "…";
  }

  static String message(Throwable error) {
    try {
      return String.valueOf(error.getMessage());
    } catch (Throwable e) {
      return describe(error, LONGEST_MESSAGE);
    }
  }

  static @Nullable Throwable cause(Throwable error) {
    try {
      return error.getCause();
    } catch (Throwable e) {
      return null;
    }
  }

  static StackTraceElement[] stackTrace(Throwable error) {
    try {
      StackTraceElement[] trace = error.getStackTrace();
      for (StackTraceElement frame : trace) {
        var unused = frame.toString();
      }
      return trace;
    } catch (Throwable e) {
      return new StackTraceElement[0];
    }
  }

  /** The error itself where loggers can print it, otherwise one with what can be read of it. */
  static Throwable loggable(Throwable error) {
    return isReadable(error, Collections.newSetFromMap(new IdentityHashMap<>()))
        ? error
        : new Unreadable(ErrorText.of(error));
  }

  private static boolean isReadable(@Nullable Throwable error, Set<Throwable> seen) {
    if (error == null) {
      return true;
    }
    try {
      if (!seen.add(error) || seen.size() > MOST_CAUSES) {
        return false;
      }
      var unused = error.getMessage();
      unused = error.getLocalizedMessage();
      if (error.toString().length() > LONGEST_MESSAGE) {
        return false;
      }
      for (StackTraceElement frame : error.getStackTrace()) {
        frame.getClassName();
      }
      for (Throwable suppressed : error.getSuppressed()) {
        if (!isReadable(suppressed, seen)) {
          return false;
        }
      }
      return isReadable(error.getCause(), seen);
    } catch (Throwable e) {
      return false;
    }
  }

  /** Stands for an error that cannot be printed. */
  private static final class Unreadable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unreadable(String text) {
      super(text, null, false, false);
    }
  }
}
