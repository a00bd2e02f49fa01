package dev.twinbox.inbox;

/**
 * The database, or what else an inbox keeps its records in, did not do its part: it cannot be
 * reached, has no space or no connection left, or refuses the inbox's own statements. Nothing was
 * decided about the delivery and no attempt was counted: do not acknowledge it, wait, and hand it
 * over again.
 */
public class DatabaseUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what was not done
   */
  public DatabaseUnavailableException(String message, Throwable cause) {
    super(message + ": " + Throwables.message(cause), cause);
  }
}
