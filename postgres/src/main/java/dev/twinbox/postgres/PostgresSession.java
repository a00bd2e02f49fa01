package dev.twinbox.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * What PostgreSQL's driver knows without asking the server, which reports some settings by itself.
 * Behind another driver, or a wrapper that hides it, nothing is known.
 */
public final class PostgresSession {
  private static final boolean PRESENT = isPresent();

  private PostgresSession() {}

  /**
   * Whether the server would refuse a write. It is asked only where a setting that it reports makes
   * that likely; {@code set transaction read only} is not reported.
   */
  static boolean isReadOnly(Connection connection) throws SQLException {
    boolean likely =
        "on".equals(parameter(connection, "in_hot_standby"))
            || "on".equals(parameter(connection, "default_transaction_read_only"));
    if (!likely) {
      return false;
    }
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("show transaction_read_only")) {
      return result.next() && "on".equals(result.getString(1));
    }
  }

  /** A setting as the server last reported it; null when it reports none. */
  public static @Nullable String parameter(Connection connection, String name) {
    return PRESENT ? Driver.parameter(connection, name) : null;
  }

  /** Whether a transaction is under way on the server; false when that is not known. */
  static boolean isInTransaction(Connection connection) {
    return PRESENT && Driver.isInTransaction(connection);
  }

  /** Whether two are the same session, however wrapped. */
  static boolean same(Connection one, Connection other) {
    return one == other || (PRESENT && Driver.same(one, other));
  }

  private static boolean isPresent() {
    try {
      Class.forName("org.postgresql.PGConnection", false, PostgresSession.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  /** Linked only where the driver is. */
  private static final class Driver {
    static @Nullable String parameter(Connection connection, String name) {
      PGConnection session = session(connection);
      return session == null ? null : session.getParameterStatus(name);
    }

    static boolean isInTransaction(Connection connection) {
      return session(connection) instanceof BaseConnection base
          && base.getTransactionState() != TransactionState.IDLE;
    }

    static boolean same(Connection one, Connection other) {
      PGConnection session = session(one);
      return session != null && session == session(other);
    }

    private static @Nullable PGConnection session(Connection connection) {
      try {
        if (connection instanceof PGConnection session) {
          return session;
        }
        return connection.isWrapperFor(PGConnection.class)
            ? connection.unwrap(PGConnection.class)
            : null;
      } catch (SQLException | RuntimeException e) {
        return null;
      }
    }
  }
}
