package dev.twinbox.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import org.jooq.Configuration;
import org.jooq.ConnectionProvider;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DefaultConnectionProvider;
import org.jooq.impl.ThreadLocalTransactionProvider;

/**
 * Demands that what a caller hands over is in a transaction which somebody will commit. Auto-commit
 * proves nothing: pools can switch it off, and then roll back what nobody commits.
 */
public final class CallersTransaction {
  private CallersTransaction() {}

  /** Work on the connection of a caller's transaction. */
  @FunctionalInterface
  public interface Work<T> {
    T on(Connection connection);
  }

  /**
   * Runs {@code work} on the connection of a context's transaction.
   *
   * @throws IllegalStateException when it is in none, or in one that cannot be written to; no SQL
   *     that could abort a transaction was run then
   */
  public static <T> T in(DSLContext dsl, Work<T> work) {
    boolean keepsConnection = keepsConnection(dsl.configuration());
    if (!keepsConnection) {
      SpringTransaction.demandActive();
    }
    return dsl.connectionResult(
        connection -> {
          demand(connection, !keepsConnection);
          return work.on(connection);
        });
  }

  /** The same for a connection, which its caller may commit without anybody's help. */
  public static <T> T in(Connection connection, Work<T> work) {
    demand(connection, false);
    return work.on(connection);
  }

  private static void demand(Connection connection, boolean onlySpringCommits) {
    SpringTransaction.demand(connection, onlySpringCommits);
    try {
      if (connection.getAutoCommit()) {
        throw new IllegalStateException(
            "The connection is in auto-commit mode, so what is written on it would be committed"
                + " apart from your own rows. Begin a transaction first and use its connection:"
                + " dsl.transaction(...), connection.setAutoCommit(false), Spring's @Transactional"
                + " with a transaction-aware data source.");
      }
      if (connection.isReadOnly()) {
        throw readOnly("Connection.setReadOnly(true)");
      }
      if (PostgresSession.isReadOnly(connection)) {
        throw readOnlyByServer();
      }
    } catch (SQLException e) {
      throw new DataAccessException(
          "The state of the connection is not known: " + e.getMessage(), e);
    }
  }

  /**
   * Whether the context stands on one connection: that of jOOQ's transaction, or the one which it
   * was made with. Any other takes a connection for each statement and gives it back uncommitted.
   */
  private static boolean keepsConnection(Configuration configuration) {
    ConnectionProvider provider = configuration.connectionProvider();
    if (provider instanceof DefaultConnectionProvider) {
      return true;
    }
    return configuration.transactionProvider() instanceof ThreadLocalTransactionProvider
        && survivesRelease(provider);
  }

  /** jOOQ has no accessor for a thread's transaction, but in one a release closes nothing. */
  private static boolean survivesRelease(ConnectionProvider provider) {
    Connection connection = provider.acquire();
    if (connection == null) {
      return false;
    }
    provider.release(connection);
    try {
      return !connection.isClosed();
    } catch (SQLException e) {
      return false;
    }
  }

  /** What is thrown where the server says that the transaction is read-only. */
  public static IllegalStateException readOnlyByServer() {
    return readOnly("the server says transaction_read_only = on");
  }

  static IllegalStateException readOnly(String source) {
    return new IllegalStateException(
        ("The transaction is read-only (%s), so nothing was executed, and it can go on. Write in a"
                + " transaction that may: @Transactional without readOnly,"
                + " connection.setReadOnly(false) before it begins, on the primary.")
            .formatted(source));
  }
}
