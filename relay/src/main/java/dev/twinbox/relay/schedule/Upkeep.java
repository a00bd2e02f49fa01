package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.Retention;
import dev.twinbox.relay.store.Rotation;
import dev.twinbox.relay.store.Scheduled;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has to be done once for all relays. Each duty can be run at any time, also twice at once;
 * what fails is logged and done at the next run. Thread-safe.
 */
public final class Upkeep {
  private static final Logger log = LoggerFactory.getLogger(Upkeep.class);
  private static final int BATCHES_A_RUN = 20;
  private static final int PURGED_AT_ONCE = 1_000;
  private static final long STATES_KEPT = 1_000;
  private static final long AFTER_FAILURE_MILLIS = 1_000;

  private final Promotion promotion;
  private final Rotation rotation;
  private final LaneLog laneLog;
  private final Retention retention;
  private final Duties duties;
  private final Phaser running = new Phaser(1);
  private volatile boolean inCharge;

  /**
   * @param scheduled due messages are promoted
   * @param promoted called when some were
   * @param rotation relayed leaves are emptied
   * @param laneLog old states are deleted
   * @param retention what is old enough is let go
   * @param duties hears of what fails
   */
  public Upkeep(
      Scheduled scheduled,
      Runnable promoted,
      Rotation rotation,
      LaneLog laneLog,
      Retention retention,
      Duties duties) {
    this.promotion = new Promotion(scheduled, promoted);
    this.rotation = rotation;
    this.laneLog = laneLog;
    this.retention = retention;
    this.duties = duties;
  }

  /** Waits until no duty runs, at most so long; each is safe to be cut off anywhere. */
  void awaitQuiet(Duration atMost) {
    try {
      running.awaitAdvanceInterruptibly(running.arrive(), atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      log.warn("Upkeep still runs {} after the stop; it is left to itself", atMost);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the promotion's session soon. */
  void requestStop() {
    promotion.requestStop();
  }

  /**
   * This relay does all duties for so long, or until the stop: on this thread it moves messages as
   * they become due, while the others run beside it.
   */
  void takeCharge(Duration length) {
    long end = System.nanoTime() + length.toNanos();
    inCharge = true;
    try {
      do {
        attempt("promotion of due messages", () -> promotion.sessionUntil(end));
      } while (System.nanoTime() - end < 0 && !promotion.stopsWithin(AFTER_FAILURE_MILLIS));
    } finally {
      inCharge = false;
    }
  }

  /** Whether this relay is the one that does the duties now. */
  boolean isInCharge() {
    return inCharge;
  }

  /** Moves what is overdue within the next seconds, on whichever relay. */
  void standIn() {
    attempt("promotion of overdue messages", promotion::standIn);
  }

  /** Empties every leaf that is fully relayed. */
  public void rotate() {
    attempt(
        "rotation",
        () -> {
          List<String> emptied = rotation.rotate();
          if (!emptied.isEmpty()) {
            log.debug("Emptied {}", emptied);
          }
        });
  }

  /** Turns the archive's days, and lets go what has been kept for long enough. */
  public void retain() {
    attempt(
        "retention",
        () -> {
          retention.turnArchive();
          long discarded = 0;
          long more = PURGED_AT_ONCE;
          for (int batch = 0; batch < BATCHES_A_RUN && more == PURGED_AT_ONCE; batch++) {
            more = retention.discardOld(PURGED_AT_ONCE, "relay");
            discarded += more;
          }
          if (discarded > 0) {
            log.warn("{} dead letters that nobody has decided on were discarded", discarded);
          }
          more = PURGED_AT_ONCE;
          for (int batch = 0; batch < BATCHES_A_RUN && more == PURGED_AT_ONCE; batch++) {
            more = retention.purge(PURGED_AT_ONCE);
          }
        });
  }

  /** Shortens the lanes' logs. */
  public void trim() {
    attempt("trimming of the lane log", () -> laneLog.trim(STATES_KEPT));
  }

  private interface Duty {
    void run() throws SQLException;
  }

  private void attempt(String name, Duty duty) {
    running.register();
    try {
      duty.run();
      duties.done(name);
    } catch (SQLException | RuntimeException e) {
      duties.failed(name, e);
    } finally {
      running.arriveAndDeregister();
    }
  }
}
