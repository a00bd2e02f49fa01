package dev.twinbox.relay.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;

/**
 * Sends whole transactions, {@code begin} to {@code commit}, as one statement text and so in one
 * round trip. Each says READ COMMITTED itself, whatever the role's default is, and uses nothing
 * that outlives a transaction, so it works behind a transaction-pooling proxy.
 *
 * <p>Thread-safe: each call borrows a connection of its own.
 */
public final class Pipeline {
  static final String BEGIN = "begin isolation level read committed read write; ";

  /**
   * Settings of one transaction, in one statement: what is set one by one costs as much as what it
   * is set for.
   *
   * @param namesAndValues name, value, name, value; not from outside
   */
  static String local(String... namesAndValues) {
    StringJoiner settings = new StringJoiner(", ", "select ", "; ");
    for (int i = 0; i < namesAndValues.length; i += 2) {
      settings.add(
          "set_config('%s', '%s', true)".formatted(namesAndValues[i], namesAndValues[i + 1]));
    }
    return settings.toString();
  }

  private final DataSource dataSource;
  private final int networkTimeoutMillis;

  /**
   * @param dataSource a pool; connections are borrowed for single transactions
   * @param networkTimeoutMillis after how long a silent server counts as gone
   */
  public Pipeline(DataSource dataSource, int networkTimeoutMillis) {
    this.dataSource = dataSource;
    this.networkTimeoutMillis = networkTimeoutMillis;
  }

  /** Sets the parameters of a statement. */
  @FunctionalInterface
  interface Binder {
    void bind(PreparedStatement statement) throws SQLException;
  }

  /** Reads a result set. */
  @FunctionalInterface
  interface Reader<T> {
    T read(ResultSet rows) throws SQLException;
  }

  /**
   * Runs one statement that only reads, planned anew each time, by what its tables are then: for
   * looks that come many times a second, where every further statement counts.
   */
  <T> T look(String sql, Binder binder, Reader<T> reader) throws SQLException {
    try (Connection connection = borrow();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.unwrap(PGStatement.class).setPrepareThreshold(0);
      binder.bind(statement);
      try (ResultSet rows = statement.executeQuery()) {
        return reader.read(rows);
      }
    }
  }

  /** Reads all result sets of several statements, in order. */
  @FunctionalInterface
  interface AllReader<T> {
    T read(List<ResultSet> results) throws SQLException;
  }

  /** Runs {@code sql}, which may be several statements, and reads the last result set. */
  <T> T query(String sql, Binder binder, Reader<T> reader) throws SQLException {
    return queryAll(sql, binder, results -> reader.read(results.get(results.size() - 1)));
  }

  /** Runs {@code sql}, several statements, and reads what all of them answered. */
  <T> T queryAll(String sql, Binder binder, AllReader<T> reader) throws SQLException {
    try (Connection connection = borrow()) {
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        binder.bind(statement);
        List<ResultSet> results = new ArrayList<>();
        boolean isRows = statement.execute();
        while (isRows || statement.getUpdateCount() != -1) {
          if (isRows) {
            results.add(statement.getResultSet());
          }
          isRows = statement.getMoreResults(Statement.KEEP_CURRENT_RESULT);
        }
        if (results.isEmpty()) {
          throw new SQLException("No result set came back from: " + sql);
        }
        refuseUnconfirmedCommit(statement.getWarnings());
        refuseUnconfirmedCommit(connection.getWarnings());
        return reader.read(results);
      } catch (SQLException | RuntimeException e) {
        rollback(connection, e);
        throw e;
      }
    }
  }

  /**
   * A cancelled wait for the synchronous standby is only a warning: the commit is known locally,
   * but a failover could erase it. What is not on the standby must count as not done. The server's
   * language is unknown, so any warning of this class counts.
   */
  private static void refuseUnconfirmedCommit(@Nullable SQLWarning warning) throws SQLException {
    for (SQLWarning each = warning; each != null; each = each.getNextWarning()) {
      if ("01000".equals(each.getSQLState())) {
        throw new SQLException("The commit may not be on the standby: " + each.getMessage());
      }
    }
  }

  private static void rollback(Connection connection, Exception cause) {
    try {
      rollback(connection);
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  /** By hand: as far as the driver knows, the connection is in auto-commit mode. */
  static void rollback(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("rollback");
    }
  }

  Connection borrow() throws SQLException {
    Connection connection = dataSource.getConnection();
    try {
      if (!connection.getAutoCommit()) {
        connection.setAutoCommit(true);
      }
      connection.clearWarnings();
      connection.setNetworkTimeout(Runnable::run, networkTimeoutMillis);
      return connection;
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }
}
