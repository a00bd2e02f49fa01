package dev.twinbox.relay.status;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What waits in the outbox, by lane and destination.
 *
 * @param lanes what waits in each lane that has anything
 * @param lastPosition the highest position handed out
 */
record Backlog(Map<Integer, Lane> lanes, long lastPosition) {
  /**
   * What waits.
   *
   * @param oldestSeconds how long the oldest that was seen has been due
   */
  record Pile(long waiting, boolean isEstimated, @Nullable Double oldestSeconds) {
    static final Pile NONE = new Pile(0, false, null);

    Pile and(Pile other) {
      return new Pile(
          waiting + other.waiting,
          isEstimated || other.isEstimated,
          StatusQueries.older(oldestSeconds, other.oldestSeconds));
    }
  }

  /** What waits in a lane: by destination, and the lowest position of it. */
  record Lane(String broker, @Nullable Long lowest, Map<String, Pile> destinations) {
    Pile all() {
      return destinations.values().stream().reduce(Pile.NONE, Pile::and);
    }
  }

  Map<String, Pile> byDestination() {
    Map<String, Pile> all = new TreeMap<>();
    lanes
        .values()
        .forEach(lane -> lane.destinations().forEach((d, pile) -> all.merge(d, pile, Pile::and)));
    return all;
  }

  Map<String, Pile> byBroker() {
    Map<String, Pile> all = new TreeMap<>();
    lanes.values().forEach(lane -> all.merge(lane.broker(), lane.all(), Pile::and));
    return all;
  }
}
