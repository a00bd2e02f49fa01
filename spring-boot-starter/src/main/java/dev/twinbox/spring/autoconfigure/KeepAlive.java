package dev.twinbox.spring.autoconfigure;

import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Keeps a service alive that has no web server: everything else here runs on daemon threads. */
final class KeepAlive {
  private final String name;
  private @Nullable CountDownLatch end;

  KeepAlive(String name) {
    this.name = name;
  }

  synchronized void begin() {
    CountDownLatch latch = new CountDownLatch(1);
    end = latch;
    Thread thread = new Thread(() -> await(latch), name);
    thread.setDaemon(false);
    thread.start();
  }

  synchronized void end() {
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
