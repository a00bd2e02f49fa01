package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.ClusterGuard;
import dev.twinbox.relay.store.Restamp;
import java.sql.SQLException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that the database is a restored one, or was exchanged for one behind its address, and
 * re-stamps it. Until that is done no lane can be claimed and no leaf emptied. Thread-safe.
 */
public final class RestoreWatch {
  private static final Logger log = LoggerFactory.getLogger(RestoreWatch.class);

  private final ClusterGuard guard;
  private final Restamp restamp;
  private final String relay;
  private String lastComplaint = "";

  /**
   * @param guard tells whether the database is the one that the lanes belong to
   * @param restamp what is done when it is not
   * @param relay this relay's name, for the audit
   */
  public RestoreWatch(ClusterGuard guard, Restamp restamp, String relay) {
    this.guard = guard;
    this.restamp = restamp;
    this.relay = relay;
  }

  /**
   * Looks more closely than {@link #look}, and does the same.
   *
   * @throws SQLException when the database cannot be asked or the re-stamping failed
   */
  public synchronized void start() throws SQLException {
    act(guard.lookAtStart());
  }

  /**
   * Looks, and re-stamps when needed. What fails is logged and tried again at the next look.
   *
   * @return whether what lanes remember may be another database's
   */
  boolean look() {
    try {
      ClusterGuard.Look look = guard.look();
      act(look);
      return look.doubts().isPresent();
    } catch (SQLException e) {
      log.warn("It is unknown whether the database was restored: {}", e.getMessage());
      return false;
    }
  }

  private synchronized void act(ClusterGuard.Look look) throws SQLException {
    Optional<String> doubts = look.doubts();
    if (doubts.isEmpty()) {
      lastComplaint = "";
      if (look.isPromoted()) {
        notePromotion();
      }
      return;
    }
    if (!doubts.get().equals(lastComplaint)) {
      lastComplaint = doubts.get();
      log.warn(
          "This database was restored from a dump or moved: {}. Nothing is published before its"
              + " messages are stamped anew",
          lastComplaint);
    }
    restamp
        .run(relay, doubts.get())
        .ifPresent(report -> log.warn("Re-stamped a restored database: {}", report.text()));
  }

  private void notePromotion() throws SQLException {
    guard
        .notePromotion(relay)
        .ifPresent(
            p ->
                log.warn(
                    "This database was promoted: timeline {}, formerly {}. Lanes go on where its"
                        + " tables say",
                    p.timeline(),
                    p.formerTimeline()));
  }
}
