package dev.twinbox.inbox;

import dev.twinbox.postgres.CallersTransaction;
import dev.twinbox.postgres.PostgresDriver;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run in a transaction that a {@link TransactionRunner} begins and ends. Whether it was
 * committed is asked of the database afterwards: a runner can have joined another transaction, roll
 * back without an error, or fail after its commit. For one thread.
 */
final class RunnersTransaction implements TransactionalWork {
  private static final Logger log = LoggerFactory.getLogger(RunnersTransaction.class);

  private static final String STATUS =
      OpenTransaction.BEGUN
          + "; select pg_xact_status(cast(? as xid8)), "
          + OpenTransaction.DURABLE_COLUMNS
          + "; commit";

  private static final String COMMITTED = "committed";
  private static final String OPEN = "in progress";
  private static final String ROLLED_BACK = "aborted";
  private static final String ANY = "3";

  private final Transactions transactions;
  private final HandlerRun.Frame frame;
  private final Handling handling;
  private final Configuration jooq;
  private boolean entered;
  private @Nullable IllegalStateException refusal;
  private @Nullable SQLException notRecorded;
  private @Nullable Recorded recorded;
  private @Nullable List<Receipt> receipts;
  private @Nullable Throwable error;
  private boolean lost;
  private boolean outOfRoom;

  RunnersTransaction(
      Transactions transactions, HandlerRun.Frame frame, Handling handling, Configuration jooq) {
    this.transactions = transactions;
    this.frame = frame;
    this.handling = handling;
    this.jooq = jooq;
  }

  /** Has the transaction rolled back by its runner. */
  private static final class RollBackException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RollBackException(Throwable cause) {
      super("The message's transaction is rolled back: " + Throwables.message(cause), cause);
    }
  }

  @Override
  public void on(Connection connection) {
    enter(() -> CallersTransaction.in(connection, inner -> work(inner, jooq)));
  }

  @Override
  public void on(DSLContext dsl) {
    enter(() -> CallersTransaction.in(dsl, inner -> work(inner, dsl.configuration())));
  }

  private void enter(Runnable work) {
    if (entered) {
      throw new IllegalStateException(
          "A TransactionRunner called the work twice; call it once, in a transaction of its own.");
    }
    try {
      work.run();
    } catch (IllegalStateException e) {
      refusal = entered ? null : e;
      throw e;
    }
  }

  private boolean work(Connection connection, Configuration configuration) {
    entered = true;
    Recorded begun;
    try {
      begun = frame.begin(connection);
    } catch (SQLException e) {
      notRecorded = e;
      throw new RollBackException(e);
    }
    recorded = begun;
    try {
      List<Receipt> handled =
          handling.all(
              new Work(connection, configuration), begun.ids(), PostgresDriver.idle(connection));
      frame.end(connection);
      OpenTransaction.readyToCommit(connection, begun);
      receipts = handled;
      return true;
    } catch (Throwable e) { // an Error too, such as the stack overflow of a nesting bomb
      error = e;
      outOfRoom = SqlTrouble.outOfRoom(e) && SqlTrouble.aborted(connection);
      lost = SqlTrouble.lost(connection);
      throw new RollBackException(e);
    }
  }

  /**
   * Runs everything and finds out what has become of it.
   *
   * @return the receipts, or null where another run is wanted
   */
  @Nullable List<Receipt> run(TransactionRunner runner, HandlerRun.Judgement judgement)
      throws HandlerFailure {
    Throwable thrown = null;
    try {
      runner.inTransaction(this);
    } catch (Throwable e) { // whatever a transaction manager's commit throws
      thrown = e;
    }
    if (!entered) {
      throw notEntered(thrown);
    }
    if (notRecorded != null) {
      judgement.notRecorded(notRecorded);
      return null;
    }
    String status = statusUninterrupted(thrown);
    if (receipts != null && status.equals(COMMITTED)) {
      if (thrown != null) {
        log.warn("An error after the commit of a message", Throwables.loggable(thrown));
      }
      return receipts;
    }
    if (receipts != null) {
      notCommitted(thrown, status, judgement);
    } else {
      failed(status, judgement);
    }
    return null;
  }

  /** The handlers have succeeded. */
  private void notCommitted(
      @Nullable Throwable thrown, String status, HandlerRun.Judgement judgement)
      throws HandlerFailure {
    boolean open = status.equals(OPEN);
    if (open && thrown == null) {
      throw new IllegalStateException(
          "The TransactionRunner has returned and its transaction is still open, so nothing counts."
              + " It has to begin a transaction of its own, as by PROPAGATION_REQUIRES_NEW.");
    }
    Throwable cause =
        thrown != null
            ? thrown
            : new IllegalStateException(
                "The transaction was rolled back without an error, as by setRollbackOnly().");
    boolean lost = open || SqlTrouble.disconnected(cause);
    judgement.rolledBack(cause, lost, SqlTrouble.outOfRoom(cause), null);
  }

  private void failed(String status, HandlerRun.Judgement judgement) throws HandlerFailure {
    Throwable cause = Objects.requireNonNull(error);
    EndedTransaction ended = handling.ended(Objects.requireNonNull(recorded), cause);
    if (status.equals(COMMITTED)) { // by a handler, or by a runner that let the error pass
      throw new HandlerFailure(cause, ended);
    }
    boolean open = status.equals(OPEN);
    judgement.rolledBack(cause, lost || open, outOfRoom, open ? ended : null);
  }

  private RuntimeException notEntered(@Nullable Throwable thrown) {
    if (refusal != null) {
      return refusal;
    }
    return thrown == null
        ? new IllegalStateException("The TransactionRunner did not call the work.")
        : new DatabaseUnavailableException("No transaction began", thrown);
  }

  /** A pool gives no connection to a thread whose flag is set. */
  private String statusUninterrupted(@Nullable Throwable thrown) {
    boolean interrupted = Thread.interrupted();
    try {
      return status(thrown);
    } catch (DatabaseUnavailableException e) {
      Throwable known = error != null ? error : thrown;
      if (known != null) {
        e.addSuppressed(known);
      }
      if (recorded != null && receipts == null) {
        throw new ConnectionLostException(e, handling.ended(recorded, e));
      }
      throw e;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * What has become of it; asked durably, so that a commit is on the synchronous standby when a
   * later one is. Where nothing was recorded, there is nothing to be committed.
   */
  private String status(@Nullable Throwable thrown) {
    String xid = recorded == null ? null : recorded.transaction();
    if (xid == null && thrown != null && error == null) {
      throw new DatabaseUnavailableException("The transaction did not commit", thrown);
    }
    return transactions.runText(
        "It is not known whether the transaction was committed",
        connection -> {
          try (PreparedStatement statement = connection.prepareStatement(STATUS)) {
            statement.setString(1, xid == null ? ANY : xid);
            ResultSet row = InboxStore.execute(statement);
            String status = row.next() ? row.getString(1) : null;
            SqlTrouble.refuseUnconfirmed(statement);
            if (xid == null) {
              return error == null ? COMMITTED : ROLLED_BACK;
            }
            // After a crash in between, its id may be another transaction's.
            return COMMITTED.equals(status)
                    && (thrown != null || error != null)
                    && !frame.areRecorded(connection, Objects.requireNonNull(recorded).ids())
                ? ROLLED_BACK
                : String.valueOf(status);
          }
        });
  }
}
