package dev.twinbox.inbox;

import org.jspecify.annotations.Nullable;

/** The connection was lost under a handler. */
final class ConnectionLostException extends DatabaseUnavailableException {
  private static final long serialVersionUID = 1L;

  private final transient @Nullable EndedTransaction ended;

  /**
   * @param ended what has to be put right if the transaction turns out to be committed, or null
   */
  ConnectionLostException(Throwable cause, @Nullable EndedTransaction ended) {
    super("The connection was lost", cause);
    this.ended = ended;
  }

  @Nullable EndedTransaction ended() {
    return ended;
  }
}
