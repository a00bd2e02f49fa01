package dev.twinbox.relay.deadletter;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.DeadLetterTable;
import dev.twinbox.relay.store.DeadLetterTable.BlockedKey;
import dev.twinbox.relay.store.OperatorTransactions;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.BeyondHorizonException;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside;
import java.util.List;
import javax.sql.DataSource;

/**
 * The dead letters of one database, for an operator: list them, look at one, group them by cause,
 * send them again, put them aside and bring them back. Relays go on meanwhile.
 *
 * <p>Redrive, discard and restore go in order of numbers, in transactions of at most 500 messages,
 * each with its line in {@code outbox_audit}; rows that another operator is at are passed over.
 * Stopped half way, nothing is half done, and the same call again does the rest. Doing it twice, or
 * two operators at once, sends nothing twice. Throws {@link org.jooq.exception.DataAccessException}
 * when the database failed.
 *
 * <p>Thread-safe. Needs a role with the grants of a relay.
 */
public final class DeadLetterQueue extends SetAside {
  private final DeadLetterTable table;

  private DeadLetterQueue(DataSource dataSource, DeadLetterTable table) {
    super(OperatorTransactions.on(dataSource), table);
    this.table = table;
  }

  /**
   * The dead letters in a schema.
   *
   * @throws IllegalArgumentException when the schema's name is not accepted
   */
  public static DeadLetterQueue in(DataSource dataSource, String schema) {
    return new DeadLetterQueue(dataSource, new DeadLetterTable(Tables.in(schema)));
  }

  /** Keys whose messages wait behind a dead letter, the longest blocked first. */
  public List<BlockedKey> blockedKeys(int limit) {
    return run(dsl -> table.blockedKeys(dsl, limit));
  }

  /**
   * Sends messages again, with the same ids, so that consumers ignore those they have. A message
   * that blocks its key goes before its followers; any other goes behind what its key has by now.
   *
   * @return how many were sent
   * @throws BeyondHorizonException when some are older than the consumers' dedup horizon and the
   *     act does not say that they may go; nothing is sent then
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   * @throws InterruptedException when interrupted between two transactions; what is done stays done
   */
  public long redrive(Selection selection, Act act) throws InterruptedException {
    return inBatches(
        "redrive",
        selection,
        /* mindsHorizon= */ true,
        act,
        (dsl, range) -> table.redrive(dsl, picked(selection, range), act.timeToLive()));
  }

  /**
   * Puts messages aside: they are kept, no longer listed, and can be restored. Keys that they block
   * are free.
   *
   * @return how many were put aside
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   * @throws InterruptedException when interrupted between two transactions; what is done stays done
   */
  public long discard(Selection selection, Act act) throws InterruptedException {
    return inBatches(
        "discard",
        selection,
        /* mindsHorizon= */ false,
        act,
        (dsl, range) -> table.discard(dsl, picked(selection, range)));
  }

  /**
   * Brings back messages that were put aside. They no longer block their keys, whose messages may
   * have gone out meanwhile.
   *
   * @return how many were brought back
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   * @throws InterruptedException when interrupted between two transactions; what is done stays done
   */
  public long restore(Selection selection, Act act) throws InterruptedException {
    Selection discarded = selection.discarded();
    return inBatches(
        "restore",
        discarded,
        /* mindsHorizon= */ false,
        act,
        (dsl, range) -> table.restore(dsl, picked(discarded, range)));
  }
}
