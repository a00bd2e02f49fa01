package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jooq.Configuration;
import org.jspecify.annotations.Nullable;

/** One transaction: the ids are recorded, the handlers run, everything commits or nothing does. */
final class HandlerRun {
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt DUPLICATE = new Receipt.Duplicate();

  private final Transactions transactions;
  private final InboxStore store;
  private final QuarantineStore quarantine;
  private final Configuration jooq;

  HandlerRun(
      Transactions transactions, InboxStore store, QuarantineStore quarantine, Configuration jooq) {
    this.transactions = transactions;
    this.store = store;
    this.quarantine = quarantine;
    this.jooq = jooq;
  }

  /**
   * Runs the handler for each arrival that is new, in the given order. Serialization failures and
   * deadlocks run the whole again.
   *
   * @param counted whether attempts were recorded before, which a success wipes out
   * @throws HandlerFailure when everything was rolled back because of a handler
   * @throws DatabaseUnavailableException when the database is to blame
   */
  List<Receipt> together(int consumer, List<Arrival> arrivals, Handler handler, boolean counted)
      throws HandlerFailure {
    List<UUID> ids = arrivals.stream().map(Arrival::id).toList();
    for (int run = 1; ; run++) {
      try (OpenTransaction transaction = transactions.open()) {
        Set<UUID> fresh = record(transaction.connection(), consumer, ids);
        if (fresh != null) {
          try {
            List<Receipt> receipts =
                handleAll(transaction.connection(), consumer, arrivals, fresh, handler);
            if (counted) {
              quarantine.clear(transaction.connection(), consumer, ids);
            }
            transaction.commit();
            return receipts;
          } catch (Throwable e) { // an Error too, such as the stack overflow of a nesting bomb
            judge(e, transaction, run);
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
  private @Nullable Set<UUID> record(Connection connection, int consumer, List<UUID> ids) {
    try {
      return store.begin(connection, consumer, ids);
    } catch (SQLException e) {
      if (SqlTrouble.runAgain(e)) {
        return null;
      }
      throw new DatabaseUnavailableException("The ids were not recorded", e);
    }
  }

  private List<Receipt> handleAll(
      Connection connection, int consumer, List<Arrival> arrivals, Set<UUID> fresh, Handler handler)
      throws Exception {
    List<UUID> seenBefore =
        fresh.size() == arrivals.size()
            ? List.of()
            : arrivals.stream().map(Arrival::id).filter(id -> !fresh.contains(id)).toList();
    Set<UUID> letThrough = store.takePasses(connection, consumer, seenBefore);
    Work work = new Work(connection, jooq);
    List<Receipt> receipts = new ArrayList<>(arrivals.size());
    for (Arrival arrival : arrivals) {
      if (fresh.contains(arrival.id()) || letThrough.contains(arrival.id())) {
        handler.handle(arrival.delivery(), work);
        receipts.add(PROCESSED);
      } else {
        receipts.add(DUPLICATE);
      }
    }
    return receipts;
  }

  /** Returns where the transaction is to be run again. */
  private static void judge(Throwable error, OpenTransaction transaction, int run)
      throws HandlerFailure {
    try {
      transaction.rollback();
    } catch (SQLException e) {
      error.addSuppressed(e);
      throw new DatabaseUnavailableException("The connection was lost", error);
    }
    boolean runAgain = SqlTrouble.runAgain(error);
    if (runAgain && run < Transactions.RUNS) {
      return;
    }
    if (runAgain || SqlTrouble.outage(error, transaction.connection())) {
      throw new DatabaseUnavailableException("The transaction did not commit", error);
    }
    throw new HandlerFailure(error);
  }
}
