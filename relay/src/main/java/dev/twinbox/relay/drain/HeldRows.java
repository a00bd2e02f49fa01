package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.relay.store.Parked.Hold;
import dev.twinbox.relay.store.Parked.Wait;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which rows of a page have to be parked instead of published: those of a destination that is
 * parked, and all that follow a parked one with the same key, wherever they go. Asked in the order
 * of the rows.
 */
final class HeldRows {
  private static final String BEHIND = "behind-key";

  private final Map<Long, Hold> found;
  private final Destinations destinations;
  private final Set<String> keys = new HashSet<>();

  /**
   * @param found what the database says of the page's rows
   * @param destinations which of them are parked
   */
  HeldRows(Map<Long, Hold> found, Destinations destinations) {
    this.found = found;
    this.destinations = destinations;
  }

  /** Whether the row was parked before a crash or a loss of the lane. */
  boolean isParked(OutboxRecord record) {
    boolean here = found.get(record.position()) == Hold.PARKED;
    if (here) {
      hold(record.key());
    }
    return here;
  }

  /** Whether the row would be parked. */
  boolean isHeld(OutboxRecord record) {
    return isBehind(record) || destinations.isParked(record.destination());
  }

  private boolean isBehind(OutboxRecord record) {
    String key = record.key();
    return found.get(record.position()) == Hold.KEY || (key != null && keys.contains(key));
  }

  /** Why and how the row has to be parked; empty when it may be published. */
  Optional<Wait> hold(OutboxRecord record) {
    boolean behind = isBehind(record);
    if (!behind && !destinations.isParked(record.destination())) {
      return Optional.empty();
    }
    hold(record.key());
    return Optional.of(
        behind
            ? behind(record)
            : new Wait(
                record.position(), destinations.reason(record.destination()), null, 0, null));
  }

  /** Of a row that waits for another one of its key. */
  static Wait behind(OutboxRecord record) {
    return new Wait(record.position(), BEHIND, null, 0, null);
  }

  /** From now on, what follows with the key is held. */
  void hold(@Nullable String key) {
    if (key != null) {
      keys.add(key);
    }
  }
}
