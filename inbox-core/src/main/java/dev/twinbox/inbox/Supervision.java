package dev.twinbox.inbox;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps threads alive that others rely on. */
public final class Supervision {
  private static final Logger log = LoggerFactory.getLogger(Supervision.class);

  private Supervision() {}

  /**
   * Runs it and lets nothing out, not even an error: where memory or threads are lacking now, there
   * may be some later. The caller makes a pause and goes on.
   *
   * @param what whose work it is, for the log
   * @return whether it came to its end
   */
  public static boolean attempt(String what, Runnable work) {
    try {
      work.run();
      return true;
    } catch (Throwable e) {
      tell(what, e);
      return false;
    }
  }

  /** A thread whose unexpected end is told at ERROR, whatever the process does with others. */
  public static Thread thread(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setUncaughtExceptionHandler(
        (ended, error) -> log.error("Thread {} has ended", ended.getName(), error));
    return thread;
  }

  private static void tell(String what, Throwable error) {
    try {
      log.error("{} failed and goes on after a pause", what, error);
    } catch (Throwable e) {
      // No memory or stack is left to say so; or the exception's own text throws.
      tellBriefly(what, error);
    }
  }

  private static void tellBriefly(String what, Throwable error) {
    try {
      log.error("{} failed and goes on after a pause: {}", what, error.getClass());
    } catch (Throwable e) {
      Thread.yield(); // the thread is worth more than the line
    }
  }
}
