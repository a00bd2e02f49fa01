package dev.twinbox.inbox;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long to wait while a server is away: from half a second doubling up to 15 seconds, with
 * jitter so that instances do not come back all at once. For one thread.
 */
public final class Pauses {
  private static final long FIRST_MILLIS = 500;
  private static final long LONGEST_MILLIS = 15_000;

  private long next = FIRST_MILLIS;

  /** The next pause, longer than the last. */
  public Duration next() {
    long pause = next;
    next = Math.min(LONGEST_MILLIS, next * 2);
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(pause / 2, pause + 1));
  }

  /** The server is back. */
  public void reset() {
    next = FIRST_MILLIS;
  }
}
