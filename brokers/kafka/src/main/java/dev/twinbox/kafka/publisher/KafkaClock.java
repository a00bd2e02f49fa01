package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.Supervision;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Lets publishers look after what waits: every 10 ms while something does, and hardly ever when
 * nothing does, so that an idle relay sleeps. Thread-safe.
 */
final class KafkaClock implements AutoCloseable {
  private static final long TICK_NANOS = Duration.ofMillis(10).toNanos();
  private static final Duration RESTING = Duration.ofMillis(250);

  private final long restingNanos;
  private final BooleanSupplier tick;
  private final Thread thread;
  private volatile boolean resting;
  private volatile boolean closed;

  /**
   * @param tick looks after everybody; answers whether anything waits
   */
  KafkaClock(String threadName, BooleanSupplier tick) {
    this(threadName, RESTING, tick);
  }

  /**
   * @param resting how long it rests when nobody wakes it
   */
  KafkaClock(String threadName, Duration resting, BooleanSupplier tick) {
    this.restingNanos = resting.toNanos();
    this.tick = tick;
    thread = new Thread(this::run, threadName);
    thread.setDaemon(true);
    thread.start();
  }

  /** Something waits from now on. Cheap; never blocks. */
  void waken() {
    if (resting) {
      resting = false;
      LockSupport.unpark(thread);
    }
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }

  private void run() {
    while (!closed) {
      if (!Supervision.run(thread.getName(), this::look)) {
        resting = false;
      }
      LockSupport.parkNanos(resting ? restingNanos : TICK_NANOS);
      resting = false;
      // Somebody's interrupt would make every further pause end at once.
      boolean unused = Thread.interrupted();
    }
  }

  private void look() {
    if (!tick.getAsBoolean()) {
      // Announced before the second look: what comes after it wakes this thread.
      resting = true;
      if (tick.getAsBoolean()) {
        resting = false;
      }
    }
  }
}
