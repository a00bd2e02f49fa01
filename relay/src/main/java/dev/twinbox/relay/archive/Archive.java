package dev.twinbox.relay.archive;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.ArchiveTable;
import dev.twinbox.relay.store.OperatorTransactions;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.BeyondHorizonException;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside;
import javax.sql.DataSource;

/**
 * The published messages that one database keeps, for an operator: those in its archive, and those
 * published last. Replay enqueues them again with their own ids, in their old order, in
 * transactions of at most 500, each with its line in {@code outbox_audit}; the relays publish them.
 * A consumer that has processed a message ignores it, one that was registered later processes it.
 *
 * <p>Their numbers are their positions. Stopped half way, nothing is half done; where it stopped,
 * its progress says, and another replay can go on {@link Selection#beyond} that. A preview reads
 * everything in the range but the payloads. Throws {@link org.jooq.exception.DataAccessException}
 * when the database failed.
 *
 * <p>Thread-safe. Needs a role with the grants of a relay.
 */
public final class Archive extends SetAside {
  private final ArchiveTable table;

  private Archive(DataSource dataSource, ArchiveTable table) {
    super(OperatorTransactions.patient(dataSource), table);
    this.table = table;
  }

  /**
   * The archive in a schema.
   *
   * @throws IllegalArgumentException when the schema's name is not accepted
   */
  public static Archive in(DataSource dataSource, String schema) {
    return new Archive(dataSource, new ArchiveTable(Tables.in(schema)));
  }

  /** Whether messages are archived at all. */
  public boolean isKept() {
    return run(table::isKept);
  }

  /**
   * Enqueues messages again.
   *
   * @return how many were sent
   * @throws BeyondHorizonException when some are older than the consumers' dedup horizon and the
   *     act does not say that they may go; nothing is sent then
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   * @throws InterruptedException when interrupted between two transactions; what is done stays done
   */
  public long replay(Selection selection, Act act) throws InterruptedException {
    return inBatches(
        "replay",
        selection,
        /* mindsHorizon= */ true,
        act,
        (dsl, range) -> table.replay(dsl, selection, range, act.timeToLive()));
  }
}
