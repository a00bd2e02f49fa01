package dev.twinbox.broker;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs work that others rely on. A thread that ends, or a scheduled task that is not repeated,
 * because of one Error or one exception of a user's code, would leave them waiting for ever.
 * Thread-safe.
 */
public final class Supervision {
  private static final Logger log = LoggerFactory.getLogger(Supervision.class);
  private static final long TELL_AGAIN_NANOS = Duration.ofSeconds(10).toNanos();

  private static final Queue<Left> left = new ConcurrentLinkedQueue<>();
  private static final AtomicLong toldAt = new AtomicLong(System.nanoTime() - TELL_AGAIN_NANOS);

  private record Left(String threadName, Runnable work) {}

  private Supervision() {}

  /**
   * Runs the work; whatever it throws is logged, at most once in ten seconds, and goes no further.
   *
   * @param what for the log, as in {@code "the clock of kafka"}
   * @return whether it ended well
   */
  @SuppressWarnings("CatchAndPrintStackTrace") // logged, unless there is no memory even for that
  public static boolean run(String what, Runnable work) {
    try {
      work.run();
      return true;
    } catch (Throwable e) {
      tell(what, e);
      return false;
    }
  }

  /**
   * As {@link #run}, for a loop that makes a pause after a failure and goes on: each failure is
   * logged, even an Error, since memory or threads that are lacking now may be there later.
   *
   * @param what whose work it is, for the log, as in {@code "The upkeep of the inbox"}
   * @return whether it ended well
   */
  public static boolean attempt(String what, Runnable work) {
    try {
      work.run();
      return true;
    } catch (Throwable e) {
      tellEach(what, e);
      return false;
    }
  }

  /** A thread, not started yet, whose unexpected end is logged as an error. */
  public static Thread thread(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setUncaughtExceptionHandler(
        (ended, error) -> log.error("Thread {} has ended", ended.getName(), error));
    return thread;
  }

  /** The same work, for an executor that would not repeat it after an exception. */
  public static Runnable repeated(String what, Runnable work) {
    return () -> run(what, work);
  }

  /**
   * Runs the work on a daemon thread of its own. When there is none to be had, {@link #retry} does
   * it later.
   */
  public static void inBackground(String threadName, Runnable work) {
    if (!start(threadName, work)) {
      left.add(new Left(threadName, work));
    }
  }

  /**
   * Starts a daemon thread.
   *
   * @return false when the machine has no more threads or memory
   */
  public static boolean start(String threadName, Runnable work) {
    try {
      Thread thread = new Thread(() -> run(threadName, work), threadName);
      thread.setDaemon(true);
      thread.start();
      return true;
    } catch (OutOfMemoryError e) {
      tell("a thread could not be started: " + threadName, e);
      return false;
    }
  }

  /** Does what no thread was there for. Called now and then by the brokers' clocks. */
  public static void retry() {
    for (int most = left.size(); most > 0; most--) {
      Left next = left.poll();
      if (next == null) {
        return;
      }
      inBackground(next.threadName(), next.work());
    }
  }

  /** One line in ten seconds: what fails may do so a hundred times a second. */
  private static void tell(String what, Throwable failure) {
    try {
      long now = System.nanoTime();
      long before = toldAt.get();
      if (now - before >= TELL_AGAIN_NANOS && toldAt.compareAndSet(before, now)) {
        log.error("Failed, and goes on: {}", what, failure);
      } else {
        log.debug("Failed, and goes on: {}", what, failure);
      }
    } catch (Throwable e) {
      // There is no memory even for the log; going on matters more.
    }
  }

  private static void tellEach(String what, Throwable failure) {
    try {
      log.error("{} failed and goes on after a pause", what, failure);
    } catch (Throwable e) {
      // No memory or stack is left to say so; or the exception's own text throws.
      tellBriefly(what, failure);
    }
  }

  private static void tellBriefly(String what, Throwable failure) {
    try {
      log.error("{} failed and goes on after a pause: {}", what, failure.getClass());
    } catch (Throwable e) {
      Thread.yield(); // the thread is worth more than the line
    }
  }
}
