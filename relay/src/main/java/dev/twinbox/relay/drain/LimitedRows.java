package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * Holds the rows of a window to their destinations' rate limits. While all that the lane has is for
 * limited destinations, it waits, which costs nothing. As soon as others wait behind them, the
 * limited ones' rows are parked, in order, and the lane goes on; what is parked goes out at the
 * same rate. Used by the lane's thread.
 */
final class LimitedRows {
  private static final long LOOK_NANOS = Duration.ofMillis(250).toNanos();
  private static final long LOOK_ANEW_NANOS = Duration.ofSeconds(10).toNanos();
  private static final long REFUSED_NANOS = Duration.ofSeconds(1).toNanos();

  private final LaneContext lane;

  /** Destinations that are at their limit, and when they last were. */
  private final Map<String, Long> refused = new HashMap<>();

  private long lookedAt = System.nanoTime() - LOOK_NANOS;
  private long begunAt = System.nanoTime() - LOOK_ANEW_NANOS;
  private long lookedUpTo;

  LimitedRows(LaneContext lane) {
    this.lane = lane;
  }

  /**
   * Whether the row can be handled now, be it published or parked; else it has to be tried again.
   *
   * @param rest the row and those that follow it
   * @param readUpTo the position before the row's
   */
  boolean mayGoOn(
      OutboxRecord record, Collection<WindowReader.Row> rest, HeldRows held, long readUpTo)
      throws SQLException {
    String destination = record.destination();
    if (!lane.limiter().isLimited(destination)) {
      return true;
    }
    if (!held.isHeld(record)) {
      if (lane.limiter().take(destination, lane.claim().state().lane(), 1) > 0) {
        return true;
      }
      refused.put(destination, System.nanoTime());
      if (!othersWait(rest, readUpTo)) {
        return false;
      }
      lane.destinations().limit(destination);
    }
    return true;
  }

  private boolean othersWait(Collection<WindowReader.Row> rest, long readUpTo) throws SQLException {
    long now = System.nanoTime();
    refused.values().removeIf(at -> now - at > REFUSED_NANOS);
    if (rest.stream().anyMatch(row -> !refused.containsKey(row.record().destination()))) {
      return true;
    }
    if (now - lookedAt < LOOK_NANOS) {
      return false;
    }
    lookedAt = now;
    if (lookedUpTo < readUpTo || now - begunAt > LOOK_ANEW_NANOS) {
      // Rows that are committed late can be anywhere.
      lookedUpTo = readUpTo;
      begunAt = now;
    }
    WindowReader.Look look =
        lane.store().reader().look(lane.claim().state(), lookedUpTo, refused.keySet());
    lookedUpTo = look.upTo();
    return look.others();
  }
}
