package dev.twinbox.relay.store;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * Connections for transactions of several statements, as Quartz's, each of which says READ
 * COMMITTED and READ WRITE itself and how long it may wait, whatever the defaults of role, database
 * and pool are. Nothing outlives a transaction, so that it works behind a transaction-pooling proxy
 * and changes nothing in the user's pool. Thread-safe; a connection is for one thread.
 */
public final class OwnTransactions {
  private static final String WORD =
      "set transaction isolation level read committed read write; " + Pipeline.limits("30s");

  /** Fails where the transaction has failed, while a bare COMMIT would quietly roll back. */
  private static final String COMMIT = "set local lock_timeout = 0; commit";

  private final DataSource dataSource;

  /** Borrows from this pool. */
  public OwnTransactions(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * A connection with auto-commit off. Closing it rolls back what is open, and gives it back as it
   * was.
   */
  public Connection open() throws SQLException {
    Connection lent = dataSource.getConnection();
    try {
      return (Connection)
          Proxy.newProxyInstance(
              OwnTransactions.class.getClassLoader(),
              new Class<?>[] {Connection.class},
              new Lent(lent));
    } catch (SQLException | RuntimeException e) {
      lent.close();
      throw e;
    }
  }

  private static final class Lent implements InvocationHandler {
    private final Connection lent;
    private final boolean autoCommitBefore;
    private final @Nullable PGConnection driver;
    private final int namedFromBefore;
    private boolean begun;

    Lent(Connection lent) throws SQLException {
      this.lent = lent;
      autoCommitBefore = lent.getAutoCommit();
      driver = NamedStatements.driver(lent);
      namedFromBefore = driver == null ? NamedStatements.NEVER : driver.getPrepareThreshold();
      if (driver != null) {
        driver.setPrepareThreshold(NamedStatements.NEVER);
      }
      if (autoCommitBefore) {
        lent.setAutoCommit(false);
      } else {
        lent.rollback(); // a validation query may have begun a transaction
      }
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
        throws Throwable {
      switch (method.getName()) {
        case "close" -> {
          giveBack();
          return null;
        }
        case "commit" -> {
          end(COMMIT);
          return null;
        }
        case "rollback" -> {
          if (arguments == null) {
            end("rollback");
            return null;
          }
        }
        case "createStatement", "prepareStatement", "prepareCall", "setSavepoint" -> begin();
        default -> {}
      }
      try {
        return method.invoke(lent, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }

    private void begin() throws SQLException {
      if (begun || lent.getAutoCommit()) {
        return;
      }
      begun = true;
      try (Statement statement = lent.createStatement()) {
        statement.execute(WORD);
      }
    }

    /**
     * By a text: the driver keeps its own COMMIT and ROLLBACK prepared under names, once anybody
     * has used them on this connection.
     */
    private void end(String text) throws SQLException {
      if (begun) {
        begun = false;
        try (Statement statement = lent.createStatement()) {
          statement.execute(text);
        }
      }
    }

    private void giveBack() throws SQLException {
      try (Connection closing = lent) {
        if (!closing.isClosed()) {
          end("rollback");
          closing.setAutoCommit(autoCommitBefore);
        }
        if (driver != null) {
          driver.setPrepareThreshold(namedFromBefore);
        }
      }
    }
  }
}
