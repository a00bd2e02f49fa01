package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.Essentials;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that rows without which nothing works were removed, as by a TRUNCATE of all tables, puts
 * back what can be put back without loss or repeat, and says what cannot. Thread-safe.
 */
public final class Mending {
  private static final Logger log = LoggerFactory.getLogger(Mending.class);

  private final Essentials essentials;
  private final Collection<String> brokers;
  private final LaneRoster roster;
  private volatile @Nullable String problem;

  /**
   * @param essentials the rows
   * @param brokers whose lanes there must be
   * @param roster makes lanes
   */
  public Mending(Essentials essentials, Collection<String> brokers, LaneRoster roster) {
    this.essentials = essentials;
    this.brokers = List.copyOf(brokers);
    this.roster = roster;
  }

  /** What is missing and cannot be put back, with the remedy; empty when nothing is. */
  public Optional<String> problem() {
    return Optional.ofNullable(problem);
  }

  /** For a start, before the tables' version is asked for: only what belongs to no broker. */
  public synchronized void start() throws SQLException {
    if (essentials.canMend() && !essentials.missing(List.of()).isEmpty()) {
      mend(List.of());
    }
  }

  /**
   * Looks, and mends when needed. What fails is logged and tried again at the next look.
   *
   * @return whether what lanes remember may be gone
   */
  synchronized boolean look() {
    try {
      List<String> missing = essentials.missing(brokers);
      if (missing.isEmpty()) {
        problem = null;
        return false;
      }
      mend(missing);
      return true;
    } catch (SQLException e) {
      log.warn("It is unknown whether rows are missing: {}", e.getMessage());
      return false;
    }
  }

  private void mend(List<String> missing) throws SQLException {
    List<String> mended = essentials.mend();
    if (!mended.isEmpty()) {
      log.warn("Rows without which nothing works were removed; put back: {}", mended);
    }
    if (!missing.isEmpty()) {
      roster.register();
    }
    List<String> left = essentials.missing(brokers);
    if (left.isEmpty()) {
      if (!missing.isEmpty() && mended.isEmpty()) {
        log.warn("Lanes were removed; made again: {}", missing);
      }
      problem = null;
      return;
    }
    if (missing.isEmpty()) {
      return; // lanes come later in the start
    }
    String found =
        "Rows without which nothing works are missing: %s. The outbox holds messages of lanes that"
                .formatted(left)
            + " nobody knows: put back the rows of outbox_broker, outbox_lane and outbox_lane_log"
            + " from a backup, or truncate the outbox if its messages do not matter; then the rest"
            + " is made.";
    if (!found.equals(problem)) {
      problem = found;
      log.error("{}", found);
    }
  }
}
