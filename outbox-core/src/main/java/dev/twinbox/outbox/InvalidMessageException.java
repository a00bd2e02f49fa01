package dev.twinbox.outbox;

/**
 * A message, or a part of it, that no broker or database could take as it is. Thrown before any SQL
 * is run, so the caller's transaction is untouched; the message names the field, the value or its
 * size, the limit and what to do.
 */
public final class InvalidMessageException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String field;

  /**
   * A refusal.
   *
   * @param field the part of the message that is wrong, as its setter is called: {@code key}
   * @param message a sentence that names the field, the value or its size, the limit and the remedy
   */
  public InvalidMessageException(String field, String message) {
    super(message);
    this.field = field;
  }

  /** A refusal that was caused by another one. */
  public InvalidMessageException(String field, String message, Throwable cause) {
    super(message, cause);
    this.field = field;
  }

  /** The part of the message that is wrong, as its setter is called: {@code key}. */
  public String field() {
    return field;
  }
}
