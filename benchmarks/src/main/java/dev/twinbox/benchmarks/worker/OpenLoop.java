package dev.twinbox.benchmarks.worker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Does something at a fixed rate, whether or not the earlier ones are done: what comes late was due
 * earlier, and is timed from then.
 */
public final class OpenLoop {
  private static final int THREADS = 12;

  private OpenLoop() {}

  /** What is done, for each number. Called by several threads. */
  @FunctionalInterface
  public interface Step {
    /** Does it. */
    void run(long number) throws Exception;
  }

  /**
   * Runs and writes, for each number, when it was due and when it was done.
   *
   * @param rate how many a second
   * @param first the first one's number
   * @param total how many
   * @param step what
   * @param times where to, by the machine's monotonic clock
   */
  public static void run(int rate, long first, long total, Step step, Path times) throws Exception {
    AtomicLong next = new AtomicLong();
    ConcurrentLinkedQueue<String> done = new ConcurrentLinkedQueue<>();
    ConcurrentLinkedQueue<Exception> failures = new ConcurrentLinkedQueue<>();
    long begin = System.nanoTime() + 50_000_000L;
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  for (long n = next.getAndIncrement(); n < total; n = next.getAndIncrement()) {
                    long due = begin + n * 1_000_000_000L / rate;
                    waitUntil(due);
                    step.run(first + n);
                    done.add(first + n + " " + due + " " + System.nanoTime() + "\n");
                  }
                } catch (Exception e) {
                  failures.add(e);
                }
              },
              "open-loop-" + i);
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    Exception failure = failures.peek();
    if (failure != null) {
      throw failure;
    }
    try {
      Files.writeString(times, String.join("", done));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void waitUntil(long due) {
    for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }
}
