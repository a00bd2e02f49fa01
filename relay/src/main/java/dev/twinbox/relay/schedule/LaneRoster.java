package dev.twinbox.relay.schedule;

import dev.twinbox.relay.drain.LaneDrain;
import dev.twinbox.relay.store.Lanes;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

/**
 * The lanes of this relay's brokers, as the database has them: their number can change while the
 * relay runs. Refreshed by one thread at a time, readable by all.
 */
public final class LaneRoster {
  private final Lanes lanes;
  private final Collection<String> brokers;
  private final Maker maker;
  private volatile List<LaneDrain> current = List.of();

  /** Makes what drains a lane. */
  @FunctionalInterface
  public interface Maker {
    /**
     * @param mayHold whether this relay may hold a lane now, given the others
     */
    LaneDrain make(Lanes.Lane lane, Predicate<LaneDrain> mayHold);
  }

  /**
   * @param lanes which lanes there are
   * @param brokers whose lanes
   * @param maker makes what drains a lane
   */
  public LaneRoster(Lanes lanes, Collection<String> brokers, Maker maker) {
    this.lanes = lanes;
    this.brokers = List.copyOf(brokers);
    this.maker = maker;
  }

  /** All lanes that are in use, whoever holds them. */
  public List<LaneDrain> lanes() {
    return current;
  }

  /**
   * What has changed.
   *
   * @param added lanes that are new
   * @param closed lanes that are not in use any more
   */
  record Change(List<LaneDrain> added, List<LaneDrain> closed) {}

  /** Gives every broker its lanes, where it has none. */
  public void register() throws SQLException {
    for (String broker : brokers) {
      lanes.register(broker);
    }
  }

  /** Asks the database. */
  synchronized Change refresh(Predicate<LaneDrain> mayHold) throws SQLException {
    List<LaneDrain> known = new ArrayList<>(current);
    List<LaneDrain> now = new ArrayList<>();
    List<LaneDrain> added = new ArrayList<>();
    for (Lanes.Lane lane : lanes.of(brokers)) {
      LaneDrain drain =
          known.stream()
              .filter(each -> each.lane() == lane.lane())
              .findFirst()
              .orElseGet(
                  () -> {
                    LaneDrain made = maker.make(lane, mayHold);
                    added.add(made);
                    return made;
                  });
      drain.know(lane.isRetired(), lane.waits());
      now.add(drain);
    }
    known.removeAll(now);
    current = List.copyOf(now);
    return new Change(added, known);
  }
}
