package dev.twinbox.cli;

/** A command cannot go on; the message is one sentence that says why and what to do. */
public final class CommandException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Shown without a stack trace. */
  public CommandException(String message) {
    super(message);
  }

  /** The same; {@code --verbose} shows the cause. */
  public CommandException(String message, Throwable cause) {
    super(message, cause);
  }
}
