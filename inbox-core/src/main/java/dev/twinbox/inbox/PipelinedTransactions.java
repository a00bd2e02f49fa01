package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Transactions of one message each, one after another on one connection: the commit of one and the
 * beginning of the next share a round trip. For one thread.
 *
 * <p>Only the beginning is shared, never a handler: between the two transactions nothing of ours is
 * at stake but one id, which is rolled back where the next message is not handled after all.
 */
final class PipelinedTransactions implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PipelinedTransactions.class);

  private final InboxStore store;
  private final QuarantineStore quarantine;
  private final int consumer;
  private final Lookahead lookahead;
  private final long longestNanos;
  private long since;
  private @Nullable String continuing;
  private boolean refused;
  private boolean ended;
  private @Nullable Begun begun;

  /** The transaction of a message whose handler has not been called yet. */
  private record Begun(OpenTransaction transaction, CheckedDelivery checked, Recorded recorded) {}

  /**
   * @param longest after that the connection goes back to its pool: others wait for it, or it is to
   *     be retired
   */
  PipelinedTransactions(
      InboxStore store,
      QuarantineStore quarantine,
      int consumer,
      Lookahead lookahead,
      Duration longest) {
    this.store = store;
    this.quarantine = quarantine;
    this.consumer = consumer;
    this.lookahead = lookahead;
    longestNanos = longest.toNanos();
  }

  /** The message whose transaction is begun and which has to be received next, or null. */
  @Nullable CheckedDelivery begun() {
    return begun == null ? null : begun.checked();
  }

  /** Whether the next one had trouble at its beginning: to be met where it has its own handling. */
  boolean hasEnded() {
    return ended;
  }

  HandlerRun.Frame frame(CheckedDelivery checked, boolean counted) {
    return new MessageFrame(checked.id(), counted);
  }

  @Override
  public void close() {
    if (begun != null) {
      begun.transaction().close();
      begun = null;
    }
  }

  /** The frame of one message. */
  private final class MessageFrame extends Recording {
    private final UUID id;
    private boolean inserted;
    private @Nullable Begun mine;

    MessageFrame(UUID id, boolean counted) {
      super(store, quarantine, consumer, List.of(id), counted);
      this.id = id;
    }

    @Override
    public OpenTransaction open(Transactions transactions) {
      mine = begun;
      begun = null;
      if (mine != null) {
        return mine.transaction();
      }
      since = System.nanoTime();
      continuing = null;
      return transactions.open();
    }

    @Override
    Recorded record(Connection connection) throws SQLException {
      Recorded recorded = mine == null ? super.record(connection) : mine.recorded();
      inserted = !recorded.isEmpty();
      return recorded;
    }

    /**
     * Only where the id's row will tell whether it was committed: not with a pass, for instance.
     */
    @Override
    public void commit(OpenTransaction transaction) throws SQLException {
      boolean mayGoOn = inserted && !refused && System.nanoTime() - since < longestNanos;
      CheckedDelivery next = mayGoOn ? plainNext() : null;
      String xid = transaction.id();
      if (next == null || xid == null) {
        transaction.commit();
        return;
      }
      Recorded recorded;
      try {
        recorded = commitAndBegin(transaction.connection(), xid, next.id());
      } catch (SQLException e) {
        lookahead.giveBack(next);
        if (!hasCommitted(transaction, e)) {
          throw e;
        }
        ended = true;
        log.debug("{} is begun again", next.delivery(), e);
        return;
      } catch (RuntimeException | Error e) {
        lookahead.giveBack(next);
        throw e;
      }
      if (works(transaction.connection())) {
        begun = new Begun(transaction.passOn(), next, recorded);
      } else {
        lookahead.giveBack(next);
        refused = true;
      }
    }

    /** Whatever is wrong with the next one has to be met where it is not this one's. */
    private @Nullable CheckedDelivery plainNext() {
      try {
        return lookahead.takeIfPlain();
      } catch (RuntimeException e) {
        ended = true;
        log.debug("The next delivery could not be taken ahead", e);
        return null;
      }
    }

    private Recorded commitAndBegin(Connection connection, String xid, UUID next)
        throws SQLException {
      String text = continuing;
      return text == null
          ? store.commitAndBegin(connection, xid, consumer, next)
          : store.commitAndBegin(connection, text, xid, consumer, next);
    }

    /**
     * Not with all drivers can a text end a transaction and begin another: pgjdbc with {@code
     * autosave=always&cleanupSavepoints=true} releases a savepoint of the one in the other, and the
     * error would be that of the next statement, which is a handler's. So each connection is tried.
     */
    private boolean works(Connection connection) {
      if (continuing == null) {
        try {
          continuing = store.continuing(connection);
        } catch (SQLException e) {
          log.debug("No transaction is begun ahead", e);
        }
      }
      return continuing != null;
    }

    /**
     * The error was that of this transaction or of the next one, which is over now, whichever it
     * was. Nobody deletes ids, so the row says it; one that another consumer has inserted in the
     * meantime is as good. But if a handler has committed it, that is for others to judge.
     */
    private boolean hasCommitted(OpenTransaction transaction, SQLException error)
        throws SQLException {
      try {
        transaction.rollback();
        return !SqlTrouble.notTheOneBegun(error)
            && store.isRecorded(transaction.connection(), consumer, id);
      } catch (SQLException e) {
        error.addSuppressed(e);
        if (SqlTrouble.lost(transaction.connection())) {
          throw error;
        }
        throw new DatabaseUnavailableException("It is not known whether it was committed", error);
      }
    }
  }
}
