package dev.twinbox.inbox;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Watches the handlers that one thread calls, so that another thread can interrupt one that runs
 * for too long, or tell the first that it is time to end.
 *
 * <p>Thread-safe. {@link #begins} and {@link #ends} are for the thread that handles.
 */
public final class HandlerWatch {
  private final Duration limit;
  private volatile long handlingSince;
  private volatile long interruptedSince;
  private volatile long interruptedAt;
  private volatile boolean abandoned;
  private volatile @Nullable Thread handling;

  /**
   * @param limit how long a handler may run
   */
  public HandlerWatch(Duration limit) {
    this.limit = limit;
  }

  /** A handler begins, or a batch whose first handler is about to. */
  public void begins() {
    handling = Thread.currentThread();
    handlingSince = System.nanoTime() | 1; // never the 0 that says "not handling"
  }

  /** Nothing is handled any more. */
  public void ends() {
    handlingSince = 0;
  }

  /** Whether handlers may begin. */
  public boolean goOn() {
    return !abandoned;
  }

  /** Lets no handler begin any more; one that is interrupted from now on is not counted. */
  public void abandon() {
    abandoned = true;
  }

  /**
   * Since when one handler has been running for longer than its limit, by {@link System#nanoTime};
   * 0 when none has, or when it was interrupted already.
   */
  public long hangsSince() {
    long since = handlingSince;
    boolean hangs = since != interruptedSince && System.nanoTime() - since > limit.toNanos();
    return since != 0 && hangs ? since : 0;
  }

  /** Interrupts the handler that began then, if it still runs; the next one may hang again. */
  public void interrupt(long since) {
    interruptedSince = since;
    Thread thread = handling;
    if (handlingSince == since && thread != null) {
      interruptedAt = System.nanoTime();
      thread.interrupt();
    }
  }

  /** Whether the handler that runs now was interrupted so long ago and does not care. */
  public boolean ignoresInterrupt(Duration patience) {
    long since = handlingSince;
    return since != 0
        && since == interruptedSince
        && System.nanoTime() - interruptedAt > patience.toNanos();
  }
}
