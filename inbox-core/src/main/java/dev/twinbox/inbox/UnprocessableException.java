package dev.twinbox.inbox;

import org.jspecify.annotations.Nullable;

/** Thrown by a handler that knows that no retry helps: the message is quarantined at once. */
public class UnprocessableException extends Exception {
  private static final long serialVersionUID = 1L;

  private final QuarantineReason reason;

  /** With the reason {@link QuarantineReason#UNPROCESSABLE}. */
  public UnprocessableException(String message) {
    this(QuarantineReason.UNPROCESSABLE, message, null);
  }

  public UnprocessableException(
      QuarantineReason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public QuarantineReason reason() {
    return reason;
  }
}
