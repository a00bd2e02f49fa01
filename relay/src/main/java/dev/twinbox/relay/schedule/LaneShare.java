package dev.twinbox.relay.schedule;

import dev.twinbox.relay.drain.LaneDrain;
import dev.twinbox.relay.store.RelayRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many lanes this relay may hold: of each broker at most ceil(lanes / living relays that serve
 * it), so that relays with different brokers do not keep each other's lanes. Thread-safe.
 *
 * <p>When the database cannot be asked, the last answer stands: leases decide who holds a lane, the
 * share only spreads them.
 */
final class LaneShare {
  private static final Logger log = LoggerFactory.getLogger(LaneShare.class);

  private static final long TELL_AGAIN_NANOS = Duration.ofMinutes(10).toNanos();

  private final RelayRegistry registry;
  private final String relay;
  private final RelayClock clock;
  private boolean left;
  private long skewToldAt = System.nanoTime() - TELL_AGAIN_NANOS;
  private volatile long answeredAt = System.nanoTime();
  private final Supplier<List<LaneDrain>> lanes;
  private volatile Map<String, Integer> living = Map.of();

  /**
   * @param registry which relays live
   * @param relay this relay's name
   * @param lanes the lanes of its brokers
   * @param clock this machine's, which is compared with the database's
   */
  LaneShare(
      RelayRegistry registry, String relay, Supplier<List<LaneDrain>> lanes, RelayClock clock) {
    this.lanes = lanes;
    this.registry = registry;
    this.relay = relay;
    this.clock = clock;
  }

  /**
   * Takes this relay out of those that live. A heartbeat under way is waited for, and none comes
   * later: others would leave lanes to a relay that is gone, until the heartbeat runs out.
   */
  synchronized void leave() {
    left = true;
    try {
      registry.leave(relay);
    } catch (SQLException e) {
      log.warn("This relay's heartbeat runs out by itself: {}", e.getMessage());
    }
  }

  /** Says that we live, and asks who else does; nothing any more after {@link #leave}. */
  synchronized void refresh() {
    if (left) {
      return;
    }
    try {
      TreeSet<String> brokers = new TreeSet<>();
      lanes.get().forEach(lane -> brokers.add(lane.broker()));
      RelayRegistry.Answer answer = registry.heartbeat(relay, brokers, clock.machine());
      living = answer.living();
      answeredAt = System.nanoTime();
      clock.isAhead(answer.clockAhead());
      tellOfSkew();
    } catch (SQLException e) {
      log.warn("No heartbeat: {}", e.getMessage());
    }
  }

  /** For how long the database has not answered. */
  Duration silence() {
    return Duration.ofNanos(System.nanoTime() - answeredAt);
  }

  private void tellOfSkew() {
    long now = System.nanoTime();
    if (clock.isOff() && now - skewToldAt >= TELL_AGAIN_NANOS) {
      skewToldAt = now;
      log.warn("The clock of this machine is {} the database's; set it by NTP", clock.text());
    }
  }

  /**
   * Whether the lane may be held now. Of a broker's lanes that are held, those with the lowest
   * numbers stay, so that all lanes' threads decide alike. Lanes that are not to be begun yet do
   * not count.
   */
  boolean mayHold(LaneDrain lane) {
    if (lane.isWaiting()) {
      return false;
    }
    int all = 0;
    int before = 0;
    int held = 0;
    for (LaneDrain each : lanes.get()) {
      if (each.broker().equals(lane.broker()) && !each.isWaiting()) {
        all++;
        if (each.isHeld()) {
          held++;
          before += each.lane() < lane.lane() ? 1 : 0;
        }
      }
    }
    int relays = Math.max(1, living.getOrDefault(lane.broker(), 1));
    int share = (all + relays - 1) / relays;
    return lane.isHeld() ? before < share : held < share;
  }
}
