package dev.twinbox.examples.demo;

import java.time.Duration;

/** Ends a wait when nothing has moved for a minute: the tally then says what is missing. */
final class Patience {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  private long last = -1;
  private long movedAt = System.nanoTime();

  /** Whether to go on waiting, given how far it is now. */
  boolean lasts(long now) {
    if (now != last) {
      last = now;
      movedAt = System.nanoTime();
    }
    return System.nanoTime() - movedAt < LIMIT.toNanos();
  }
}
