package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A transaction of the inbox that a handler may have ended, by a way that could not be barred. If
 * it was committed, so were the ids of the whole batch.
 *
 * @param xid its id
 * @param deliveries the batch
 * @param recorded whose ids were recorded in it
 * @param from the first that may have ended it; the effects of those before are committed
 * @param to the last that may have; those behind were not handled, or that was rolled back
 * @param error what the inbox met with
 */
record EndedTransaction(
    String xid,
    List<CheckedDelivery> deliveries,
    Set<UUID> recorded,
    int from,
    int to,
    Throwable error) {

  /** Asks in another transaction; what was only prepared is undone. */
  boolean isCommitted(Connection connection) throws SQLException {
    String status = ask(connection, "select pg_xact_status(cast(? as xid8))");
    if ("in progress".equals(status)) {
      undoPrepared(connection);
    }
    return "committed".equals(status);
  }

  /** Its locks would stay for good, and its messages would wait for them. */
  private void undoPrepared(Connection connection) throws SQLException {
    String undo =
        ask(
            connection,
            """
            select format('rollback prepared %L', gid) from pg_prepared_xacts
            where transaction = xid(cast(? as xid8)) and database = current_database()""");
    if (undo != null) {
      connection.rollback(); // it cannot run inside of a transaction
      connection.setAutoCommit(true);
      try (Statement statement = connection.createStatement()) {
        statement.execute(undo);
      } finally {
        connection.setAutoCommit(false);
      }
    }
  }

  /** Those whose effects are there, but perhaps not all of them. */
  List<CheckedDelivery> halfDone() {
    return recorded(from, to + 1);
  }

  /** Those whose effects are not there. */
  List<CheckedDelivery> notHandled() {
    return recorded(to + 1, deliveries.size());
  }

  /** What became of the messages up to the last that may have ended it, once that is settled. */
  List<Receipt> receipts() {
    List<Receipt> receipts = new ArrayList<>(to + 1);
    for (int i = 0; i <= to; i++) {
      if (!recorded.contains(deliveries.get(i).id())) {
        receipts.add(new Receipt.Duplicate());
      } else if (i < from) {
        receipts.add(new Receipt.Processed());
      } else {
        receipts.add(new Receipt.Quarantined(QuarantineReason.TRANSACTION_ENDED, 1));
      }
    }
    return receipts;
  }

  private List<CheckedDelivery> recorded(int first, int end) {
    return deliveries.subList(first, end).stream()
        .filter(checked -> recorded.contains(checked.id()))
        .toList();
  }

  private @Nullable String ask(Connection connection, String sql) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, xid);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    }
  }
}
