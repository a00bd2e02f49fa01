package dev.twinbox.relay.cli;

import org.jspecify.annotations.Nullable;

/** One sentence about an error, for somebody who does not know the code. */
final class Explanation {
  private Explanation() {}

  static String of(Throwable error) {
    StringBuilder text = new StringBuilder(message(error));
    // A wrapper's message often lacks what its cause knows: "connection refused", for example.
    for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
      @Nullable String more = cause.getMessage();
      if (more != null && text.indexOf(more) < 0 && !(error instanceof CommandException)) {
        text.append(": ").append(more);
      }
    }
    return text.toString().strip().replaceAll("\\s*\\R\\s*", " ");
  }

  private static String message(Throwable error) {
    String message = error.getMessage();
    return message == null || message.isBlank()
        ? "failed with " + error.getClass().getSimpleName() + " (--verbose shows where)"
        : message;
  }
}
