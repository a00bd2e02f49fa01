package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.Scheduled;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Moves messages into the outbox as they become due: in bounded sessions, one relay at a time, so
 * that Quartz's tables are seldom written. Quartz needs many seconds to notice that a relay has
 * died in its session; so every relay also looks whether something is overdue, and then stands in.
 * The database lets one move at a time, whoever does it. Thread-safe.
 */
final class Promotion {
  private static final int AT_ONCE = 1_000;

  /** The longest pause between two looks; the next due time may be sooner. */
  private static final long POLL_MILLIS = 200;

  /** The same, when nothing has waited for a while. */
  private static final long IDLE_POLL_MILLIS = 500;

  private static final int IDLE_LOOKS = 50;

  /** Between two looks whether another relay is late. */
  private static final long STAND_IN_MILLIS = 200;

  /** Between two moves at least, so that what is due soon is moved together. */
  private static final long PACE_MILLIS = 20;

  private static final Duration OVERDUE = Duration.ofMillis(IDLE_POLL_MILLIS + 150);

  private static final Duration STAND_IN_SESSION = Duration.ofSeconds(5);

  private final Scheduled scheduled;
  private final Runnable promoted;
  private final CountDownLatch stop = new CountDownLatch(1);
  private int looksInVain;
  private volatile long lastLook = System.nanoTime() - OVERDUE.toNanos();

  /**
   * @param scheduled what waits
   * @param promoted called when something was moved
   */
  Promotion(Scheduled scheduled, Runnable promoted) {
    this.scheduled = scheduled;
    this.promoted = promoted;
  }

  /**
   * Moves what is due until the stop, or about this time.
   *
   * @param end in terms of {@link System#nanoTime}
   */
  void sessionUntil(long end) throws SQLException {
    long pause;
    do {
      Optional<Duration> untilNext = scheduled.untilNextToPromote();
      lastLook = System.nanoTime();
      pause = pauseBefore(untilNext);
      if (pause == 0) {
        promoteAll();
      }
    } while (System.nanoTime() - end < 0 && !stopsWithin(Math.max(PACE_MILLIS, pause)));
  }

  private long pauseBefore(Optional<Duration> untilNext) {
    looksInVain = untilNext.isPresent() ? 0 : Math.min(IDLE_LOOKS, looksInVain + 1);
    long longest = looksInVain < IDLE_LOOKS ? POLL_MILLIS : IDLE_POLL_MILLIS;
    return untilNext.map(left -> Math.max(0, Math.min(longest, left.toMillis()))).orElse(longest);
  }

  /** Moves what nobody else has moved in time: looks for about five seconds, or until the stop. */
  void standIn() throws SQLException {
    long end = System.nanoTime() + STAND_IN_SESSION.toNanos();
    do {
      moveOverdue();
    } while (System.nanoTime() - end < 0 && !stopsWithin(STAND_IN_MILLIS));
  }

  private void moveOverdue() throws SQLException {
    if (System.nanoTime() - lastLook < OVERDUE.toNanos() || stopsWithin(0)) {
      return;
    }
    Optional<Duration> untilNext = scheduled.untilNext();
    if (untilNext.isPresent() && untilNext.get().plus(OVERDUE).isNegative()) {
      promoteAll();
    }
  }

  void requestStop() {
    stop.countDown();
  }

  private void promoteAll() throws SQLException {
    boolean more = true;
    while (more && !stopsWithin(0)) {
      Scheduled.Promoted done = scheduled.promote(AT_ONCE);
      lastLook = System.nanoTime();
      more = done.more();
      if (done.moved() > 0) {
        promoted.run();
      }
    }
  }

  /** Waits so long for the stop. */
  boolean stopsWithin(long millis) {
    try {
      return stop.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }
}
