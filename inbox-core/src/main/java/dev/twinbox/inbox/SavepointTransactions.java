package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jooq.TransactionContext;
import org.jooq.TransactionProvider;
import org.jooq.exception.DataAccessException;

/**
 * Makes {@code work.dsl().transaction(...)} a savepoint. jOOQ's own provider would commit the
 * connection at the end of the outermost one, and with it half of a batch.
 */
final class SavepointTransactions implements TransactionProvider {
  private final Connection connection;
  private final Deque<Savepoint> savepoints = new ArrayDeque<>();

  SavepointTransactions(Connection connection) {
    this.connection = connection;
  }

  @Override
  public void begin(TransactionContext context) {
    try {
      savepoints.push(connection.setSavepoint());
    } catch (SQLException e) {
      throw new DataAccessException("No savepoint", e);
    }
  }

  @Override
  public void commit(TransactionContext context) {
    try {
      connection.releaseSavepoint(savepoints.pop());
    } catch (SQLException e) {
      throw new DataAccessException("The savepoint was not released", e);
    }
  }

  @Override
  public void rollback(TransactionContext context) {
    try {
      connection.rollback(savepoints.pop());
    } catch (SQLException e) {
      throw new DataAccessException("No rollback to the savepoint", e);
    }
  }
}
