package dev.twinbox.relay.schedule;

import dev.twinbox.relay.drain.LaneDrain;
import dev.twinbox.relay.store.RelayRegistry;
import java.sql.SQLException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many lanes this relay may hold: at most ceil(lanes / living relays). Thread-safe.
 *
 * <p>When the database cannot be asked, the last answer stands: leases decide who holds a lane, the
 * share only spreads them.
 */
final class LaneShare {
  private static final Logger log = LoggerFactory.getLogger(LaneShare.class);

  private final RelayRegistry registry;
  private final String relay;
  private volatile List<LaneDrain> lanes = List.of();
  private volatile int share = Integer.MAX_VALUE;

  LaneShare(RelayRegistry registry, String relay) {
    this.registry = registry;
    this.relay = relay;
  }

  void lanes(List<LaneDrain> all) {
    lanes = List.copyOf(all);
  }

  /** Asks who lives. */
  void refresh() {
    try {
      int living = registry.heartbeat(relay);
      share = (lanes.size() + living - 1) / living;
    } catch (SQLException e) {
      log.warn("No heartbeat: {}", e.getMessage());
    }
  }

  /**
   * Whether the lane may be held now. Of the lanes held, those with the lowest numbers stay, so
   * that all lanes' threads decide alike.
   */
  boolean mayHold(int lane) {
    int held = 0;
    boolean isHeld = false;
    for (LaneDrain each : lanes) {
      if (each.isHeld()) {
        if (each.lane() == lane) {
          isHeld = true;
        } else if (each.lane() < lane) {
          held++;
        }
      }
    }
    if (isHeld) {
      return held < share;
    }
    long all = lanes.stream().filter(LaneDrain::isHeld).count();
    return all < share;
  }
}
