package dev.twinbox.benchmarks.sides;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/** A thread that works until it is done or told to stop. Used by one thread. */
public final class LoopThread {
  private volatile boolean stopped;
  private @Nullable FutureTask<Void> task;

  /** What it does; it looks at {@link #isStopped} now and then. */
  @FunctionalInterface
  public interface Loop {
    /** Runs. */
    void run() throws Exception;
  }

  /** Begins. */
  public void start(Loop loop) {
    stopped = false;
    FutureTask<Void> running =
        new FutureTask<>(
            () -> {
              loop.run();
              return null;
            });
    task = running;
    Thread thread = new Thread(running, "loop");
    thread.setDaemon(true);
    thread.start();
  }

  /** Whether it has been told to stop. */
  public boolean isStopped() {
    return stopped;
  }

  /** Tells it to stop, waits for its end, and throws what it threw. */
  public void stop() throws InterruptedException, ExecutionException {
    stopped = true;
    FutureTask<Void> running = task;
    if (running != null) {
      running.get();
    }
  }
}
