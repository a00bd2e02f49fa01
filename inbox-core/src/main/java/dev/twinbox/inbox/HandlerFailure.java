package dev.twinbox.inbox;

/** A transaction was rolled back because of what a handler did or threw. */
final class HandlerFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final Throwable error;

  HandlerFailure(Throwable error) {
    super(error);
    this.error = error;
  }

  Throwable error() {
    return error;
  }
}
