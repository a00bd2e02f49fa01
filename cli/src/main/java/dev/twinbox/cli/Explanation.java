package dev.twinbox.cli;

/** One sentence about an error, for somebody who does not know the code. */
final class Explanation {
  private Explanation() {}

  static String of(Throwable error) {
    StringBuilder text = new StringBuilder(message(error));
    // A wrapper's message often lacks what its cause knows: "connection refused", for example.
    for (Throwable cause = error.getCause();
        cause != null && !(error instanceof CommandException);
        cause = cause.getCause()) {
      String more = cause.getMessage();
      if (more != null && text.indexOf(more) < 0) {
        text.append(": ").append(more);
      }
    }
    return oneLine(text.toString());
  }

  /** The error's own message only. */
  static String line(Throwable error) {
    return oneLine(message(error));
  }

  private static String oneLine(String text) {
    return text.strip().replaceAll("\\s*\\R\\s*", " ");
  }

  private static String message(Throwable error) {
    String message = error.getMessage();
    return message == null || message.isBlank()
        ? error.getClass().getSimpleName() + " (--verbose shows where)"
        : message;
  }
}
