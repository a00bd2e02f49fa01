package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * What stands around handlers in their transaction: the ids are recorded first, so that a
 * redelivered message changes nothing.
 */
class Recording implements HandlerRun.Frame {
  private final InboxStore store;
  private final QuarantineStore quarantine;
  private final int consumer;
  private final List<UUID> ids;
  private final boolean counted;

  /**
   * @param counted whether attempts were recorded before, which a success wipes out
   */
  Recording(
      InboxStore store, QuarantineStore quarantine, int consumer, List<UUID> ids, boolean counted) {
    this.store = store;
    this.quarantine = quarantine;
    this.consumer = consumer;
    this.ids = ids;
    this.counted = counted;
  }

  @Override
  public final Recorded begin(Connection connection) throws SQLException {
    Recorded fresh = record(connection);
    if (fresh.ids().size() == ids.size()) {
      return fresh;
    }
    List<UUID> seenBefore = ids.stream().filter(id -> !fresh.ids().contains(id)).toList();
    return fresh.and(store.takePasses(connection, consumer, seenBefore));
  }

  /** Tells those that were not recorded before. */
  Recorded record(Connection connection) throws SQLException {
    return store.begin(connection, consumer, ids);
  }

  @Override
  public final boolean areRecorded(Connection connection, Set<UUID> recorded) throws SQLException {
    return store.areRecorded(connection, consumer, recorded);
  }

  @Override
  public final void end(Connection connection) throws SQLException {
    if (counted) {
      quarantine.clear(connection, consumer, ids);
    }
  }
}
