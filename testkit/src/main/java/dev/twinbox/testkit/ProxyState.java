package dev.twinbox.testkit;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** What the connections of one {@link FaultProxy} go through at the moment. */
final class ProxyState {
  private boolean frozen;
  private volatile boolean dropping;
  private volatile long delayNanos;

  synchronized void frozen(boolean now) {
    frozen = now;
    notifyAll();
  }

  void dropping(boolean now) {
    dropping = now;
  }

  boolean dropping() {
    return dropping;
  }

  void delay(Duration delay) {
    delayNanos = delay.toNanos();
  }

  long delayNanos() {
    return delayNanos;
  }

  /** Waits until nothing is frozen, or the connection that asks is gone. */
  synchronized void awaitThaw(BooleanSupplier gone) throws InterruptedException {
    while (frozen && !gone.getAsBoolean()) {
      wait(100);
    }
  }
}
