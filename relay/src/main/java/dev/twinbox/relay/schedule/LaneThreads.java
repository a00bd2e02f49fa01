package dev.twinbox.relay.schedule;

import dev.twinbox.broker.Supervision;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.quartz.spi.ThreadPool;

/**
 * A thread for each job that runs, as many as it takes: a broker can get more lanes while the relay
 * runs, and a lane that waits for a thread would lose its lease. No lane's job runs twice at once,
 * so there are never more threads than lanes and a few. Made by Quartz, by name.
 */
public final class LaneThreads implements ThreadPool {
  private static final long AGAIN_NANOS = 100_000_000;

  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger number = new AtomicInteger();
  private volatile String name = "twinbox-lanes";
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(work, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
          });

  /** For Quartz. */
  public LaneThreads() {}

  /**
   * When the machine has no thread left, waits until another job's is free: Quartz would give a job
   * up for good that finds none, and an Error would end Quartz.
   */
  @Override
  public boolean runInThread(Runnable work) {
    running.incrementAndGet();
    Runnable counted =
        () -> {
          Supervision.run("a job of the relay", work);
          running.decrementAndGet();
        };
    while (true) {
      try {
        threads.execute(counted);
        return true;
      } catch (RejectedExecutionException e) {
        running.decrementAndGet();
        return false;
      } catch (OutOfMemoryError e) {
        Supervision.run(
            "starting a thread for a lane",
            () -> {
              throw e;
            });
        LockSupport.parkNanos(AGAIN_NANOS);
      }
    }
  }

  /** There is always room; the number is how many jobs Quartz may look for at once. */
  @Override
  public int blockForAvailableThreads() {
    return 1;
  }

  @Override
  public void initialize() {}

  @Override
  public void shutdown(boolean waitForJobsToComplete) {
    threads.shutdown();
  }

  @Override
  public int getPoolSize() {
    return Math.max(1, running.get());
  }

  @Override
  public void setInstanceId(String schedulerId) {}

  @Override
  public void setInstanceName(String schedulerName) {
    name = schedulerName;
  }
}
