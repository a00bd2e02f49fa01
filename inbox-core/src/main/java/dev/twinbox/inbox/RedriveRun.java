package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** What stands around the handler of one redriven message, in its transaction. For one thread. */
final class RedriveRun implements HandlerRun.Frame {
  private final RedriveStore store;
  private final InboxStore inbox;
  private final RedriveStore.Claimed claimed;
  private final int consumerId;
  private final RedrivenIds ids;
  private final CheckedDelivery checked;
  private boolean claimHolds;
  private boolean processes;

  RedriveRun(
      RedriveStore store,
      InboxStore inbox,
      Registration registration,
      RedriveStore.Claimed claimed) {
    this.store = store;
    this.inbox = inbox;
    this.claimed = claimed;
    consumerId = registration.consumerId();
    ids = RedrivenIds.of(claimed, registration);
    checked = new CheckedDelivery(claimed.delivery(), ids.all().get(0));
  }

  CheckedDelivery checked() {
    return checked;
  }

  /** Whether the message was still ours to handle. */
  boolean claimHolds() {
    return claimHolds;
  }

  /** Whether its handler runs; otherwise it is a duplicate. */
  boolean processes() {
    return processes;
  }

  @Override
  public Recorded begin(Connection connection) throws SQLException {
    inbox.begin(connection);
    String transaction = store.take(connection, consumerId, claimed);
    claimHolds = transaction != null;
    processes = claimHolds;
    for (UUID id : claimHolds ? ids.all() : List.<UUID>of()) {
      boolean fresh = inbox.record(connection, consumerId, id);
      processes &= fresh || ids.mayBeRecorded(id);
    }
    return processes ? new Recorded(Set.of(checked.id()), transaction) : Recorded.NOTHING;
  }

  @Override
  public boolean areRecorded(Connection connection, Set<UUID> recorded) throws SQLException {
    return inbox.areRecorded(connection, consumerId, recorded);
  }

  @Override
  public void end(Connection connection) throws SQLException {
    if (claimHolds) {
      store.settle(connection, claimed, processes);
    }
  }
}
