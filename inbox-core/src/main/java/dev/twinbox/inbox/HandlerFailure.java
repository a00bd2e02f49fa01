package dev.twinbox.inbox;

import org.jspecify.annotations.Nullable;

/** A transaction was not committed because of what a handler did or threw. */
final class HandlerFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final Throwable error;
  private final transient @Nullable EndedTransaction ended;

  /**
   * @param ended what has to be put right if a handler has committed the transaction, or null when
   *     none has
   */
  HandlerFailure(Throwable error, @Nullable EndedTransaction ended) {
    // With a message: otherwise the error is asked for one, and a handler's may throw at that.
    super("A handler failed", error);
    this.error = error;
    this.ended = ended;
  }

  Throwable error() {
    return error;
  }

  @Nullable EndedTransaction ended() {
    return ended;
  }
}
