package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.Rotation;
import dev.twinbox.relay.store.Scheduled;
import java.sql.SQLException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has to be done once for all relays. Each duty can be run at any time, also twice at once;
 * what fails is logged and done at the next run. Thread-safe.
 *
 * @param scheduled due messages are promoted
 * @param rotation relayed leaves are emptied
 * @param laneLog old states are deleted
 */
public record Upkeep(Scheduled scheduled, Rotation rotation, LaneLog laneLog) {
  private static final Logger log = LoggerFactory.getLogger(Upkeep.class);
  private static final int PROMOTED_AT_ONCE = 1_000;
  private static final int BATCHES_A_RUN = 20;
  private static final long STATES_KEPT = 1_000;

  /** Moves what is due, up to 20,000 messages a run. */
  public void promote() {
    attempt(
        "promotion of due messages",
        () -> {
          int batches = 0;
          while (batches < BATCHES_A_RUN
              && scheduled.promote(PROMOTED_AT_ONCE) == PROMOTED_AT_ONCE) {
            batches++;
          }
        });
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

  /** Shortens the lanes' logs. */
  public void trim() {
    attempt("trimming of the lane log", () -> laneLog.trim(STATES_KEPT));
  }

  private interface Duty {
    void run() throws SQLException;
  }

  private static void attempt(String name, Duty duty) {
    try {
      duty.run();
    } catch (SQLException e) {
      log.warn("Upkeep: {} failed and is tried again: {}", name, e.getMessage());
    }
  }
}
