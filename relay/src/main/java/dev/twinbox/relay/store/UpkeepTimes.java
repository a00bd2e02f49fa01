package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Quartz counts time by its nodes' clocks: a relay whose clock is an hour ahead plans the next
 * upkeep an hour hence, and once it has gone nobody would do any until then. Quartz also gives a
 * duty up for ever when it fails to load it once. Both are made due again. Thread-safe.
 */
public final class UpkeepTimes {
  private static final Logger log = LoggerFactory.getLogger(UpkeepTimes.class);

  /** Thrice the interval from one session of upkeep to the next. */
  private static final Duration TOO_FAR = Duration.ofMinutes(1);

  /** The name that all relays' clustered schedulers share. */
  public static final String SCHEDULER = "twinbox";

  private static final long LOOK_EVERY_NANOS = Duration.ofSeconds(5).toNanos();
  private static final Duration NOTED_WITHIN = Duration.ofSeconds(1);

  private final Pipeline pipeline;
  private final InstantSource clock;
  private final String pullIn;
  private final String running;
  private volatile long nextLook = System.nanoTime();

  /** Works on Quartz's table in {@code tables}, by this relay's clock as Quartz does. */
  public UpkeepTimes(Pipeline pipeline, Tables tables, InstantSource clock) {
    this.pipeline = pipeline;
    this.clock = clock;
    pullIn =
        tables.sql(
            "with late as (update {qrtz_triggers} set next_fire_time = ?, trigger_state = 'WAITING'"
                + " where trigger_state = 'ERROR' or trigger_state = 'WAITING' and next_fire_time >"
                + " ? returning 1) select (select count(*) from late), (select count(*) from"
                + " {qrtz_triggers} where sched_name = '"
                + SCHEDULER
                + "')");
    running =
        tables.sql(
            "select exists (select 1 from {qrtz_fired_triggers} where instance_name = ? and state ="
                + " 'EXECUTING')");
  }

  /**
   * Waits until Quartz has noted that nothing runs on this relay any more, for a second at most. A
   * duty that is not noted as done stays blocked until the other relays take this one for dead.
   */
  public void awaitNoted(String relay) throws InterruptedException {
    long end = System.nanoTime() + NOTED_WITHIN.toNanos();
    try {
      while (System.nanoTime() - end < 0
          && pipeline.query(
              running, s -> s.setString(1, relay), rows -> rows.next() && rows.getBoolean(1))) {
        Thread.sleep(10);
      }
    } catch (SQLException e) {
      log.debug("It is unknown whether upkeep still runs", e);
    }
  }

  /**
   * Makes due now what is planned for more than a minute hence or given up; looks every five
   * seconds, however often it is called. Does not throw.
   *
   * @return whether nothing is planned at all, as far as is known
   */
  public boolean pullIn() {
    if (System.nanoTime() - nextLook < 0) {
      return false;
    }
    nextLook = System.nanoTime() + LOOK_EVERY_NANOS;
    long now = clock.millis();
    try {
      long[] found =
          pipeline.query(
              pullIn,
              s -> {
                s.setLong(1, now);
                s.setLong(2, now + TOO_FAR.toMillis());
              },
              rows -> {
                rows.next();
                return new long[] {rows.getLong(1), rows.getLong(2)};
              });
      if (found[0] > 0) {
        log.info("Upkeep was given up, or planned too far ahead: due now");
      }
      return found[1] == 0;
    } catch (SQLException e) {
      log.warn("Upkeep's times were not looked at: {}", e.getMessage());
      return false;
    }
  }
}
