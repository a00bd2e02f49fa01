package dev.twinbox.relay.archive;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.deadletter.BeyondHorizonException;
import dev.twinbox.relay.deadletter.RedriveOptions;
import dev.twinbox.relay.store.ArchiveTable;
import dev.twinbox.relay.store.ArchiveTable.Filter;
import dev.twinbox.relay.store.ArchiveTable.Selected;
import dev.twinbox.relay.store.DeadLetterTable.Actor;
import dev.twinbox.relay.store.Paced;
import dev.twinbox.relay.store.Pipeline;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * The published messages that one database keeps, for an operator: those in its archive, and those
 * published last. Replay enqueues them again with their own ids, in their old order, in
 * transactions of at most 500, each with its line in the audit; the relays publish them. A consumer
 * that has processed a message ignores it, one that was registered later processes it.
 *
 * <p>Replay works on a frozen selection: what matches at the start. Stopped half way, nothing is
 * half done; where it stopped, its progress says, and another replay can begin there.
 *
 * <p>Thread-safe. Needs a role with the grants of a relay.
 */
public final class Archive {
  private static final int NETWORK_TIMEOUT_MILLIS = 60_000;

  private final ArchiveTable table;

  private Archive(ArchiveTable table) {
    this.table = table;
  }

  /**
   * The archive in a schema.
   *
   * @throws IllegalArgumentException when the schema's name is not accepted
   */
  public static Archive in(DataSource dataSource, String schema) {
    return new Archive(
        new ArchiveTable(new Pipeline(dataSource, NETWORK_TIMEOUT_MILLIS), Tables.in(schema)));
  }

  /** Whether messages are archived at all. */
  public boolean isKept() throws SQLException {
    return table.isKept();
  }

  /** What a replay would work on. Reads everything in the range but the payloads. */
  public Selected selected(Filter filter) throws SQLException {
    return table.select(filter);
  }

  /**
   * Enqueues messages again.
   *
   * @param beyond only positions beyond this one, to go on where another replay stopped; 0 for all
   * @param how who does it, how fast, with what expiry, and whether beyond the horizon
   * @param progress hears after each transaction how many were sent, and up to which position
   * @return how many were sent
   * @throws BeyondHorizonException when some are older than the consumers' dedup horizon and {@code
   *     how} does not say that they may go; nothing is sent then
   * @throws InterruptedException when interrupted between two transactions; what is done stays done
   */
  public long replay(Filter filter, long beyond, RedriveOptions how, Paced.Progress progress)
      throws SQLException, InterruptedException {
    Selected selected = selected(filter);
    if (selected.beyondHorizon() > 0 && !how.beyondHorizon()) {
      throw new BeyondHorizonException(
          selected.beyondHorizon(), selected.count(), selected.horizon());
    }
    Actor actor = new Actor(UUID.randomUUID(), how.by());
    return Paced.run(
        Math.max(beyond, selected.lowest() - 1),
        selected.highest(),
        how.perSecond(),
        progress,
        range -> table.replay(filter, range, actor, how.timeToLive()));
  }
}
