package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jooq.Configuration;
import org.jspecify.annotations.Nullable;

/** One transaction: the ids are recorded, the handlers run, everything commits or nothing does. */
final class HandlerRun {
  // With the consumers' pauses between them, some two minutes.
  private static final int WAITS_FOR_ROOM = 12;
  private static final int MOST_REMEMBERED = 10_000;

  private final Transactions transactions;
  private final Configuration jooq;
  private final Duration handlerTimeLimit;
  private final @Nullable TransactionRunner runner;

  // How often a batch, known by its first id, found no room on a server that goes on working.
  private final Map<UUID, Integer> waits = new ConcurrentHashMap<>();

  /**
   * @param runner who owns the transactions, or null where they are the inbox's own
   */
  HandlerRun(
      Transactions transactions,
      Configuration jooq,
      Duration handlerTimeLimit,
      @Nullable TransactionRunner runner) {
    this.transactions = transactions;
    this.runner = runner;
    this.jooq = jooq;
    this.handlerTimeLimit = handlerTimeLimit;
  }

  /** What stands before and after the handlers in their transaction. */
  interface Frame {
    /** Opens a transaction of the inbox's own; asked once for each run. */
    default OpenTransaction open(Transactions transactions) {
      return transactions.open();
    }

    /** Records the ids; tells those whose handlers are to run. */
    Recorded begin(Connection connection) throws SQLException;

    /** Whether the ids are recorded, so that a transaction that was to do it was committed. */
    boolean areRecorded(Connection connection, Set<UUID> ids) throws SQLException;

    /** The handlers have succeeded, or had nothing to do. */
    void end(Connection connection) throws SQLException;

    /**
     * Commits one of the inbox's own; where it throws an SQLException, nothing is committed or the
     * connection is lost.
     */
    default void commit(OpenTransaction transaction) throws SQLException {
      transaction.commit();
    }
  }

  /**
   * Runs the handler for each delivery that the frame lets begin, in the given order. Serialization
   * failures and deadlocks run the whole again, a limited number of times: an error of another
   * database, or one that a message causes each time, looks the same.
   *
   * @throws HandlerFailure when everything was rolled back because of a handler
   * @throws DatabaseUnavailableException when the database is to blame
   */
  List<Receipt> run(
      Frame frame, List<CheckedDelivery> deliveries, Handler handler, Interruption interruption)
      throws HandlerFailure {
    UUID first = deliveries.get(0).id();
    for (int run = 1; ; run++) {
      Handling handling = new Handling(deliveries, handler, interruption);
      Judgement judgement = new Judgement(first, run, handling);
      List<Receipt> receipts =
          runner == null
              ? runInOwn(frame, handling, judgement)
              : new RunnersTransaction(transactions, frame, handling, jooq).run(runner, judgement);
      if (receipts != null) {
        waits.remove(first);
        return receipts;
      }
      Transactions.pauseBeforeRun(run + 1);
    }
  }

  private @Nullable List<Receipt> runInOwn(Frame frame, Handling handling, Judgement judgement)
      throws HandlerFailure {
    try (OpenTransaction transaction = frame.open(transactions)) {
      Recorded recorded;
      try {
        recorded = frame.begin(transaction.connection());
      } catch (SQLException e) {
        judgement.notRecorded(e);
        return null;
      }
      transaction.begun(recorded);
      boolean handled = false;
      boolean committing = false;
      try {
        Work work = new Work(transaction.connection(), jooq);
        List<Receipt> receipts = handling.all(work, recorded.ids(), transaction::isOver);
        handled = true;
        frame.end(transaction.connection());
        committing = true;
        frame.commit(transaction);
        return receipts;
      } catch (Throwable e) { // an Error too, such as the stack overflow of a nesting bomb
        if (handled && e instanceof DatabaseUnavailableException outcomeUnknown) {
          throw outcomeUnknown;
        }
        judge(e, transaction, handled, committing, handling.ended(recorded, e), judgement);
        return null;
      }
    }
  }

  private static void judge(
      Throwable error,
      OpenTransaction transaction,
      boolean handled,
      boolean committing,
      @Nullable EndedTransaction ended,
      Judgement judgement)
      throws HandlerFailure {
    // An error after the handlers is one of our own statements. One of theirs can be that of
    // another database, unless it has aborted our transaction.
    boolean outOfRoom =
        SqlTrouble.outOfRoom(error) && (handled || SqlTrouble.aborted(transaction.connection()));
    boolean lost;
    boolean committed = false;
    try {
      transaction.rollback();
      lost = SqlTrouble.lost(transaction.connection());
      committed = !lost && ended != null && ended.isCommitted(transaction.connection());
    } catch (SQLException e) {
      error.addSuppressed(e);
      lost = true;
    }
    if (committed) {
      throw new HandlerFailure(error, ended);
    }
    // A handler's COMMIT can have been the last that the session did.
    judgement.rolledBack(error, lost, outOfRoom, committing ? null : ended);
  }

  /** Decides whose fault it is that a transaction was not committed. */
  final class Judgement {
    private final UUID first;
    private final int run;
    private final Handling handling;

    private Judgement(UUID first, int run, Handling handling) {
      this.first = first;
      this.run = run;
      this.handling = handling;
    }

    /** Returns where a deadlock wants another run. */
    void notRecorded(SQLException error) {
      if (!SqlTrouble.runAgain(error)) {
        throw new DatabaseUnavailableException("The ids were not recorded", error);
      }
      if (run == Transactions.RUNS) {
        throw new DatabaseUnavailableException(
            "The ids were not recorded", new SQLException("Too many deadlocks", "40P01"));
      }
    }

    /**
     * Returns where the transaction is to be run again.
     *
     * @param lost whether the connection was lost
     * @param outOfRoom whether it was our database that had no room
     * @param perhaps what a handler may have committed all the same; null when nothing
     */
    void rolledBack(
        Throwable error, boolean lost, boolean outOfRoom, @Nullable EndedTransaction perhaps)
        throws HandlerFailure {
      if (lost) {
        // Beyond the limit the database ends a session that idles: that is the handler's doing.
        if (handling.tookLongerThan(handlerTimeLimit) || SqlTrouble.idledTooLong(error)) {
          throw new HandlerFailure(error, perhaps);
        }
        throw new ConnectionLostException(error, perhaps);
      }
      if (SqlTrouble.runAgain(error) && run < Transactions.RUNS) {
        return;
      }
      if (outOfRoom && waitsForRoom(first)) {
        throw new DatabaseUnavailableException("The transaction did not commit", error);
      }
      throw new HandlerFailure(error, null);
    }
  }

  /** Not without end: what finds no room each time may be one message that is too much. */
  private boolean waitsForRoom(UUID first) {
    if (waits.size() >= MOST_REMEMBERED) {
      waits.clear();
    }
    return waits.merge(first, 1, Integer::sum) <= WAITS_FOR_ROOM;
  }
}
