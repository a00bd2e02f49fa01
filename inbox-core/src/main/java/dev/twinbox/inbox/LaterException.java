package dev.twinbox.inbox;

import java.time.Duration;

/** The message is left for a newer version of the service; nothing is counted. */
final class LaterException extends Exception {
  private static final long serialVersionUID = 1L;

  private final Duration waited;

  /**
   * @param waited for how long it has been waited so far
   */
  LaterException(String message, Duration waited) {
    super(message);
    this.waited = waited;
  }

  /** As long again, within the bounds of the backoff, so that the pause doubles. */
  Duration pause(Backoff backoff) {
    Duration shortest = backoff.pause(1);
    Duration pause = waited.compareTo(shortest) < 0 ? shortest : waited;
    return pause.compareTo(backoff.longest()) > 0 ? backoff.longest() : pause;
  }
}
