package dev.twinbox.relay.deadletter;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.DeadLetterFilter;
import dev.twinbox.relay.store.DeadLetterTable;
import dev.twinbox.relay.store.DeadLetterTable.Actor;
import dev.twinbox.relay.store.DeadLetterTable.AuditLine;
import dev.twinbox.relay.store.DeadLetterTable.BlockedKey;
import dev.twinbox.relay.store.DeadLetterTable.DeadLetter;
import dev.twinbox.relay.store.DeadLetterTable.Group;
import dev.twinbox.relay.store.DeadLetterTable.Selected;
import dev.twinbox.relay.store.Paced;
import dev.twinbox.relay.store.Pipeline;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The dead letters of one database, for an operator: list them, look at one, group them by cause,
 * send them again, put them aside and bring them back. Relays go on meanwhile.
 *
 * <p>Redrive, discard and restore work on a frozen selection: what matches at the start, and
 * nothing that is given up later. They go in order of numbers, in transactions of at most 500
 * messages, each with its line in the audit; stopped half way, nothing is half done, and the same
 * call again does the rest. Doing it twice, or two operators at once, sends nothing twice.
 *
 * <p>Thread-safe. Needs a role with the grants of a relay.
 */
public final class DeadLetterQueue {
  private static final int NETWORK_TIMEOUT_MILLIS = 60_000;

  private final DeadLetterTable table;

  private DeadLetterQueue(DeadLetterTable table) {
    this.table = table;
  }

  /**
   * The dead letters in a schema.
   *
   * @throws IllegalArgumentException when the schema's name is not accepted
   */
  public static DeadLetterQueue in(DataSource dataSource, String schema) {
    return new DeadLetterQueue(
        new DeadLetterTable(new Pipeline(dataSource, NETWORK_TIMEOUT_MILLIS), Tables.in(schema)));
  }

  /** Hears how far a long act has come. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Called after each transaction.
     *
     * @param done so many messages by now
     * @param all of so many at the start
     */
    void reached(long done, long all);
  }

  /**
   * Some dead letters, oldest first, without their payloads.
   *
   * @param filter which
   * @param discardedToo also those that were put aside
   * @param beyond only numbers beyond this one, to page on; 0 for the first
   * @param limit at most so many
   */
  public List<DeadLetter> list(
      DeadLetterFilter filter, boolean discardedToo, long beyond, int limit) throws SQLException {
    return table.list(filter, discardedToo, beyond, limit);
  }

  /** One dead letter, with its payload. */
  public Optional<DeadLetter> find(long number) throws SQLException {
    return table.find(number);
  }

  /** How many there are of each cause. */
  public List<Group> groups(DeadLetterFilter filter) throws SQLException {
    return table.groups(filter);
  }

  /** Keys whose messages wait behind a dead letter, the longest blocked first. */
  public List<BlockedKey> blockedKeys(int limit) throws SQLException {
    return table.blockedKeys(limit);
  }

  /** The newest lines of the audit: who did what to how many, and when. */
  public List<AuditLine> audit(int limit) throws SQLException {
    return table.audit(limit);
  }

  /** What a redrive or a discard would work on. */
  public Selected selected(DeadLetterFilter filter) throws SQLException {
    return table.select(filter, /* discarded= */ false);
  }

  /** What a restore would work on. */
  public Selected selectedDiscarded(DeadLetterFilter filter) throws SQLException {
    return table.select(filter, /* discarded= */ true);
  }

  /**
   * Sends messages again, with the same ids, so that consumers ignore those they have. A message
   * that blocks its key goes before its followers; any other goes behind what its key has by now.
   *
   * @return how many were sent
   * @throws BeyondHorizonException when some are older than the consumers' dedup horizon and {@code
   *     how} does not say that they may go; nothing is sent then
   * @throws InterruptedException when interrupted between two transactions; what is done stays done
   */
  public long redrive(DeadLetterFilter filter, RedriveOptions how, Progress progress)
      throws SQLException, InterruptedException {
    Selected selected = selected(filter);
    if (selected.beyondHorizon() > 0 && !how.beyondHorizon()) {
      throw new BeyondHorizonException(
          selected.beyondHorizon(), selected.count(), selected.horizon());
    }
    Actor actor = new Actor(UUID.randomUUID(), how.by());
    return work(
        selected,
        how.perSecond(),
        progress,
        range -> table.redrive(filter, range, actor, how.timeToLive()));
  }

  /**
   * Puts messages aside: they are kept, no longer listed, and can be restored. Keys that they block
   * are free.
   *
   * @return how many were put aside
   */
  public long discard(DeadLetterFilter filter, String by, Progress progress)
      throws SQLException, InterruptedException {
    Actor actor = new Actor(UUID.randomUUID(), by);
    return work(selected(filter), null, progress, range -> table.discard(filter, range, actor));
  }

  /**
   * Brings back messages that were put aside. They no longer block their keys, whose messages may
   * have gone out meanwhile.
   *
   * @return how many were brought back
   */
  public long restore(DeadLetterFilter filter, String by, Progress progress)
      throws SQLException, InterruptedException {
    Actor actor = new Actor(UUID.randomUUID(), by);
    return work(
        selectedDiscarded(filter), null, progress, range -> table.restore(filter, range, actor));
  }

  private static long work(
      Selected selected, @Nullable Integer perSecond, Progress progress, Paced.Step step)
      throws SQLException, InterruptedException {
    return Paced.run(
        0,
        selected.highest(),
        perSecond,
        (done, last) -> progress.reached(done, selected.count()),
        step);
  }
}
