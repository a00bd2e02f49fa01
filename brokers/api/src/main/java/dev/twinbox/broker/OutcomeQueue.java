package dev.twinbox.broker;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lock of a publisher, and the outcomes that were found while it was held.
 *
 * <p>A listener may take locks of its own, so none is called under this one: outcomes wait in a
 * queue until the lock is released. One thread at a time tells them, in the order in which they
 * were found; a thread that finds another one telling leaves its outcomes to it.
 */
public final class OutcomeQueue {
  private static final Logger log = LoggerFactory.getLogger(OutcomeQueue.class);
  private static final long TELLING_LIMIT_SECONDS = 5;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition quiet = lock.newCondition();
  private final ArrayDeque<PendingRecord> due = new ArrayDeque<>();
  private @Nullable Thread teller;

  /** Takes the publisher's lock. */
  public void lock() {
    lock.lock();
  }

  /** A condition of the publisher's lock. */
  public Condition newCondition() {
    return lock.newCondition();
  }

  /**
   * Gives the record its outcome, under the lock; the listener hears it after the release.
   *
   * @return false if it had one already
   */
  public boolean settle(PendingRecord record, Outcome outcome) {
    if (record.isSettled()) {
      return false;
    }
    record.settle(outcome);
    due.add(record);
    return true;
  }

  /** Releases the lock and tells what was found under it, unless another thread is at it. */
  public void unlock() {
    if (lock.getHoldCount() > 1 || teller != null || due.isEmpty()) {
      lock.unlock();
      return;
    }
    teller = Thread.currentThread();
    tellAll(null);
  }

  /**
   * Releases the lock after everything found so far was told, by whichever thread. Waits five
   * seconds at most for a listener that runs on another thread.
   */
  public void unlockWhenTold() {
    Thread current = Thread.currentThread();
    if (teller == null || teller == current) {
      Thread before = teller;
      teller = current;
      tellAll(before);
      return;
    }
    boolean interrupted = false;
    long left = TimeUnit.SECONDS.toNanos(TELLING_LIMIT_SECONDS);
    while ((teller != null || !due.isEmpty()) && left > 0) {
      try {
        left = quiet.awaitNanos(left);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (left <= 0) {
      log.warn(
          "A publisher was closed while a listener has been blocking {} for {} s; a listener must"
              + " return at once, and close() must not be called under a lock that it takes.",
          teller,
          TELLING_LIMIT_SECONDS);
    }
    lock.unlock();
    if (interrupted) {
      current.interrupt();
    }
  }

  private void tellAll(@Nullable Thread before) {
    while (true) {
      PendingRecord next = due.poll();
      if (next == null) {
        teller = before;
        quiet.signalAll();
        lock.unlock();
        return;
      }
      lock.unlock();
      // Whatever a listener throws: the thread that tells must not go with the lock in its hand.
      Supervision.run("telling the outcome of a message", next::tell);
      lock.lock();
    }
  }
}
