package dev.twinbox.relay.drain;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Lets a lane's thread wait until there may be something to do. A wake-up that comes while nobody
 * waits is kept, once. Thread-safe.
 */
public final class Wakeup {
  private final Semaphore signal = new Semaphore(0);

  /** Ends the current wait, or the next one. Cheap; never blocks. */
  public void wake() {
    if (signal.availablePermits() == 0) {
      signal.release();
    }
  }

  /** Waits for {@link #wake}, at most so long. An interrupt ends the wait and stays set. */
  boolean await(Duration atMost) {
    try {
      boolean woken = signal.tryAcquire(Math.max(0, atMost.toNanos()), TimeUnit.NANOSECONDS);
      signal.drainPermits();
      return woken;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
