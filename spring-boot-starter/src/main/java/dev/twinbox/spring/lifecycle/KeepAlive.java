package dev.twinbox.spring.lifecycle;

import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Keeps a service alive that has no web server: everything else here runs on daemon threads. */
public final class KeepAlive {
  private final String name;
  private @Nullable CountDownLatch end;

  /**
   * @param name of the thread that does it
   */
  public KeepAlive(String name) {
    this.name = name;
  }

  /** Until {@link #end}. */
  public synchronized void begin() {
    CountDownLatch latch = new CountDownLatch(1);
    end = latch;
    Thread thread = new Thread(() -> await(latch), name);
    thread.setDaemon(false);
    thread.start();
  }

  /** Idempotent. */
  public synchronized void end() {
    if (end != null) {
      end.countDown();
      end = null;
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
