package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jooq.Configuration;
import org.jspecify.annotations.Nullable;

/** One transaction: the ids are recorded, the handlers run, everything commits or nothing does. */
final class HandlerRun {
  private static final String ENDED =
      "The handler has ended the inbox's transaction, past what it was given. Throw an exception to"
          + " roll it back, or use a savepoint.";
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt DUPLICATE = new Receipt.Duplicate();

  // With the consumers' pauses between them, some two minutes.
  private static final int WAITS_FOR_ROOM = 12;
  private static final int MOST_REMEMBERED = 10_000;

  private final Transactions transactions;
  private final Configuration jooq;
  private final Duration handlerTimeLimit;

  // How often a batch, known by its first id, found no room on a server that goes on working.
  private final Map<UUID, Integer> waits = new ConcurrentHashMap<>();

  HandlerRun(Transactions transactions, Configuration jooq, Duration handlerTimeLimit) {
    this.transactions = transactions;
    this.jooq = jooq;
    this.handlerTimeLimit = handlerTimeLimit;
  }

  /** What stands before and after the handlers in their transaction. */
  interface Frame {
    /** Opens the transaction; asked once for each run. */
    default OpenTransaction open(Transactions transactions) {
      return transactions.open();
    }

    /** Records the ids; tells those whose handlers are to run. */
    Recorded begin(Connection connection) throws SQLException;

    /** The handlers have succeeded, or had nothing to do. */
    void end(Connection connection) throws SQLException;

    /** Commits; where it throws an SQLException, nothing is committed or the connection is lost. */
    default void commit(OpenTransaction transaction) throws SQLException {
      transaction.commit();
    }
  }

  /** How far a transaction came. */
  private static final class Course {
    private long slowestNanos;
    private int handling;
    private boolean seenToEnd;
    private boolean handled;
    private boolean committing;

    /** What a handler has committed, if one has; which one it was can be uncertain. */
    private @Nullable EndedTransaction ended(
        List<CheckedDelivery> deliveries, Recorded recorded, Throwable error) {
      String xid = recorded.transaction();
      return xid == null
          ? null
          : new EndedTransaction(
              xid, deliveries, recorded.ids(), seenToEnd ? handling : 0, handling, error);
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
      try (OpenTransaction transaction = frame.open(transactions)) {
        Recorded recorded = record(frame, transaction.connection());
        if (recorded != null) {
          transaction.begun(recorded);
          Course course = new Course();
          try {
            List<Receipt> receipts =
                handleAll(transaction, deliveries, recorded.ids(), handler, interruption, course);
            course.handled = true;
            frame.end(transaction.connection());
            course.committing = true;
            frame.commit(transaction);
            waits.remove(first);
            return receipts;
          } catch (Throwable e) { // an Error too, such as the stack overflow of a nesting bomb
            judge(e, transaction, run, course, deliveries, recorded);
          }
        } else if (run == Transactions.RUNS) {
          throw new DatabaseUnavailableException(
              "The ids were not recorded", new SQLException("Too many deadlocks", "40P01"));
        }
      }
      Transactions.pauseBeforeRun(run + 1);
    }
  }

  /** Returns the new ones, or null when a deadlock wants another run. */
  private static @Nullable Recorded record(Frame frame, Connection connection) {
    try {
      return frame.begin(connection);
    } catch (SQLException e) {
      if (SqlTrouble.runAgain(e)) {
        return null;
      }
      throw new DatabaseUnavailableException("The ids were not recorded", e);
    }
  }

  private List<Receipt> handleAll(
      OpenTransaction transaction,
      List<CheckedDelivery> deliveries,
      Set<UUID> fresh,
      Handler handler,
      Interruption interruption,
      Course course)
      throws Exception {
    Work work = new Work(transaction.connection(), jooq);
    List<Receipt> receipts = new ArrayList<>(deliveries.size());
    for (int i = 0; i < deliveries.size(); i++) {
      CheckedDelivery checked = deliveries.get(i);
      if (fresh.contains(checked.id())) {
        interruption.beforeHandler();
        course.handling = i;
        long since = System.nanoTime();
        try {
          handler.handle(checked.delivery(), work);
        } finally {
          course.slowestNanos = Math.max(course.slowestNanos, System.nanoTime() - since);
          course.seenToEnd = transaction.isOver();
        }
        if (course.seenToEnd) {
          throw new IllegalStateException(ENDED);
        }
        receipts.add(PROCESSED);
      } else {
        receipts.add(DUPLICATE);
      }
    }
    return receipts;
  }

  /** Returns where the transaction is to be run again. */
  private void judge(
      Throwable error,
      OpenTransaction transaction,
      int run,
      Course course,
      List<CheckedDelivery> deliveries,
      Recorded recorded)
      throws HandlerFailure {
    if (course.handled && error instanceof DatabaseUnavailableException outcomeUnknown) {
      throw outcomeUnknown;
    }
    // An error after the handlers is one of our own statements. One of theirs can be that of
    // another database, unless it has aborted our transaction.
    boolean outOfRoom =
        SqlTrouble.outOfRoom(error)
            && (course.handled || SqlTrouble.aborted(transaction.connection()));
    EndedTransaction ended = course.ended(deliveries, recorded, error);
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
    if (lost) {
      // A handler's COMMIT can have been the last that the session did.
      EndedTransaction perhaps = course.committing ? null : ended;
      // Beyond the limit the database ends a session that idles: that is the handler's doing.
      boolean overdue =
          course.slowestNanos > handlerTimeLimit.toNanos() || SqlTrouble.idledTooLong(error);
      if (overdue) {
        throw new HandlerFailure(error, perhaps);
      }
      throw new ConnectionLostException(error, perhaps);
    }
    if (SqlTrouble.runAgain(error) && run < Transactions.RUNS) {
      return;
    }
    if (outOfRoom && waitsForRoom(deliveries.get(0).id())) {
      throw new DatabaseUnavailableException("The transaction did not commit", error);
    }
    throw new HandlerFailure(error, null);
  }

  /** Not without end: what finds no room each time may be one message that is too much. */
  private boolean waitsForRoom(UUID first) {
    if (waits.size() >= MOST_REMEMBERED) {
      waits.clear();
    }
    return waits.merge(first, 1, Integer::sum) <= WAITS_FOR_ROOM;
  }
}
