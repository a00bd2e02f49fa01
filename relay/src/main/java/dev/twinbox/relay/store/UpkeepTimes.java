package dev.twinbox.relay.store;

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

  /** Twice the longest interval of any duty. */
  private static final Duration TOO_FAR = Duration.ofMinutes(1);

  private final Pipeline pipeline;
  private final InstantSource clock;
  private final String pullIn;

  /** Works on Quartz's table in {@code tables}, by this relay's clock as Quartz does. */
  public UpkeepTimes(Pipeline pipeline, Tables tables, InstantSource clock) {
    this.pipeline = pipeline;
    this.clock = clock;
    pullIn =
        tables.sql(
            "with late as (update {qrtz_triggers} set next_fire_time = ?, trigger_state = 'WAITING'"
                + " where trigger_state = 'ERROR' or trigger_state = 'WAITING' and next_fire_time > ?"
                + " returning 1) select count(*) from late");
  }

  /** Makes due now what is planned for more than a minute hence or given up. Does not throw. */
  public void pullIn() {
    long now = clock.millis();
    try {
      long pulledIn =
          pipeline.query(
              pullIn,
              s -> {
                s.setLong(1, now);
                s.setLong(2, now + TOO_FAR.toMillis());
              },
              rows -> rows.next() ? rows.getLong(1) : 0);
      if (pulledIn > 0) {
        log.info("{} upkeep duties were given up, or planned too far ahead: due now", pulledIn);
      }
    } catch (SQLException e) {
      log.debug("Upkeep's times were not looked at", e);
    }
  }
}
