package dev.twinbox.relay.store;

import dev.twinbox.postgres.Sql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
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

  /** As {@link #BEGIN}, for bites of upkeep, each statement of which has a minute. */
  static final String BEGIN_LONG = beginWithLimit("60s");

  /** As {@link #BEGIN}, for what is bounded by the caller's patience alone. */
  static final String BEGIN_UNLIMITED = beginWithLimit("0");

  private static String beginWithLimit(String statementTimeout) {
    return BEGIN + limits(statementTimeout) + "; ";
  }

  /** Whatever limits the role has for others; those that this server does not know are left out. */
  static String limits(String statementTimeout) {
    return "select set_config(n, case n when 'statement_timeout' then '"
        + statementTimeout
        + "' else '0' end, true) from unnest(array['statement_timeout', 'lock_timeout',"
        + " 'idle_in_transaction_session_timeout', 'transaction_timeout']) n where"
        + " current_setting(n, true) is not null";
  }

  /**
   * Settings of one transaction, in one statement: what is set one by one costs as much as what it
   * is set for.
   *
   * @param namesAndValues name, value, name, value; not from outside
   */
  static String local(String... namesAndValues) {
    return "select " + settings(namesAndValues) + "; ";
  }

  /** As {@link #local}, as columns of a statement that selects more. */
  static String settings(String... namesAndValues) {
    StringJoiner settings = new StringJoiner(", ");
    for (int i = 0; i < namesAndValues.length; i += 2) {
      settings.add(
          "set_config('%s', '%s', true)".formatted(namesAndValues[i], namesAndValues[i + 1]));
    }
    return settings.toString();
  }

  private final DataSource dataSource;
  private final int networkTimeoutMillis;
  private final NamedStatements named;
  private final Map<String, String> whole = new ConcurrentHashMap<>();

  /**
   * @param dataSource a pool; connections are borrowed for single transactions
   * @param networkTimeoutMillis after how long a silent server counts as gone
   */
  public Pipeline(DataSource dataSource, int networkTimeoutMillis) {
    this.dataSource = dataSource;
    this.networkTimeoutMillis = networkTimeoutMillis;
    named = new NamedStatements(dataSource);
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

  /** Runs one statement that only reads, planned anew each time, by what its tables are then. */
  <T> T look(String sql, Binder binder, Reader<T> reader) throws SQLException {
    return run(
        sql,
        binder,
        results -> reader.read(last(results)),
        networkTimeoutMillis,
        /* named= */ false);
  }

  /** As {@link #look(String, Binder, Reader)}, with parameters by name. */
  <T> T look(Sql sql, Sql.Binder binder, Reader<T> reader) throws SQLException {
    return look(sql.text(), s -> sql.bind(s, binder), reader);
  }

  /** As {@link #query(String, Binder, Reader)}, with parameters by name. */
  <T> T query(Sql sql, Sql.Binder binder, Reader<T> reader) throws SQLException {
    return query(sql.text(), s -> sql.bind(s, binder), reader);
  }

  /** As {@link #queryAll(String, Binder, AllReader)}, with parameters by name. */
  <T> T queryAll(Sql sql, Sql.Binder binder, AllReader<T> reader) throws SQLException {
    return queryAll(sql.text(), s -> sql.bind(s, binder), reader);
  }

  /** Reads all result sets of several statements, in order. */
  @FunctionalInterface
  interface AllReader<T> {
    T read(List<ResultSet> results) throws SQLException;
  }

  /** Runs {@code sql}, which may be several statements, and reads the last result set. */
  <T> T query(String sql, Binder binder, Reader<T> reader) throws SQLException {
    return queryAll(sql, binder, results -> reader.read(last(results)));
  }

  private static ResultSet last(List<ResultSet> results) {
    return results.get(results.size() - 1);
  }

  /** Runs {@code sql}, several statements, and reads what all of them answered. */
  <T> T queryAll(String sql, Binder binder, AllReader<T> reader) throws SQLException {
    return run(sql, binder, reader, networkTimeoutMillis, /* named= */ true);
  }

  /**
   * As {@link #query(String, Binder, Reader)}, for what takes long and is seldom done.
   *
   * @param timeoutMillis after how long a silent server counts as gone
   */
  <T> T query(String sql, Binder binder, Reader<T> reader, int timeoutMillis) throws SQLException {
    return run(
        sql, binder, results -> reader.read(last(results)), timeoutMillis, /* named= */ false);
  }

  private <T> T run(
      String sql, Binder binder, AllReader<T> reader, int timeoutMillis, boolean isNamed)
      throws SQLException {
    try (Connection connection = borrow(timeoutMillis)) {
      boolean mayBeNamed = isNamed && named.areKept(connection);
      try (PreparedStatement statement = connection.prepareStatement(transaction(sql))) {
        if (!mayBeNamed) {
          unnamed(statement);
        }
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
    } catch (SQLException e) {
      named.learn(e);
      throw e;
    }
  }

  /** Statements of one transaction, each of which goes by itself. */
  @FunctionalInterface
  interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  /**
   * Several statements in one transaction that is durable once this returns. None gets a name on
   * the server.
   *
   * @param begin one of the beginnings above
   */
  <T> T transaction(String begin, Work<T> work) throws SQLException {
    try (Connection connection = borrow(networkTimeoutMillis)) {
      PGConnection driver = NamedStatements.driver(connection);
      int namedFromBefore = driver == null ? NamedStatements.NEVER : driver.getPrepareThreshold();
      if (driver != null) {
        driver.setPrepareThreshold(NamedStatements.NEVER);
      }
      try (Statement statement = statement(connection)) {
        statement.execute(begin + "set local synchronous_commit = on");
        T result = work.on(connection);
        // Fails where the transaction has failed, while a bare COMMIT would quietly roll back.
        statement.execute("set local lock_timeout = 0; commit");
        refuseUnconfirmedCommit(statement.getWarnings());
        refuseUnconfirmedCommit(connection.getWarnings());
        return result;
      } catch (SQLException | RuntimeException e) {
        rollback(connection, e);
        throw e;
      } finally {
        if (driver != null) {
          driver.setPrepareThreshold(namedFromBefore);
        }
      }
    }
  }

  /** A text that does not begin a transaction itself is one: a role's defaults never count. */
  private String transaction(String sql) {
    return sql.startsWith(BEGIN)
        ? sql
        : whole.computeIfAbsent(sql, text -> BEGIN + text + "; commit");
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
    try (Statement statement = statement(connection)) {
      statement.execute("rollback");
    }
  }

  /** For statements that run once, which are not worth a name on the server. */
  static Statement statement(Connection connection) throws SQLException {
    return unnamed(connection.createStatement());
  }

  static <T extends Statement> T unnamed(T statement) throws SQLException {
    statement.unwrap(PGStatement.class).setPrepareThreshold(NamedStatements.NEVER);
    return statement;
  }

  /**
   * For a transaction that begins with {@link #BEGIN} and is ended by hand.
   *
   * @param timeoutMillis after how long a silent server counts as gone
   */
  Connection borrow(int timeoutMillis) throws SQLException {
    Connection connection = dataSource.getConnection();
    try {
      if (!connection.getAutoCommit()) {
        connection.setAutoCommit(true);
      }
      connection.clearWarnings();
      connection.setNetworkTimeout(Runnable::run, timeoutMillis);
      return connection;
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }
}
