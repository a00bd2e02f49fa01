package dev.twinbox.broker.doctor;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;

/**
 * The names under which PostgreSQL's driver prepares statements on the server. A proxy that lends
 * server connections for single transactions leaves a statement with another client, whose own one
 * of the same name may be met next: then none may be named. Thread-safe.
 *
 * <p>A proxy is known by the process number that it gave the driver at login, which is not that of
 * the process that answers. It is asked for once a connection.
 */
public final class DriverStatements {
  private static final Map<Object, Boolean> PROXIED =
      Collections.synchronizedMap(new WeakHashMap<>());

  private static final boolean DRIVER_IS_HERE = isDriverHere();

  private final PGConnection driver;
  private final int namedFrom;

  private DriverStatements(PGConnection driver) {
    this.driver = driver;
    namedFrom = driver.getPrepareThreshold();
  }

  private static boolean isDriverHere() {
    try {
      Class.forName("org.postgresql.PGConnection", false, DriverStatements.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /**
   * Has the driver name no statement of this connection until {@link #nameAgain}, where a proxy is
   * in between. Sends a statement of its own the first time.
   *
   * @return empty where statements may be named, or where it is another driver
   */
  public static Optional<DriverStatements> unnamedBehindProxy(Connection connection)
      throws SQLException {
    return isProxied(connection) ? unnamed(connection) : Optional.empty();
  }

  /** The same, wherever the connection leads. */
  static Optional<DriverStatements> unnamed(Connection connection) throws SQLException {
    if (!isOfDriver(connection)) {
      return Optional.empty();
    }
    DriverStatements statements = new DriverStatements(connection.unwrap(PGConnection.class));
    statements.driver.setPrepareThreshold(0);
    return Optional.of(statements);
  }

  /** Whether the driver prepares statements under names, as it did before this. */
  boolean wereNamed() {
    return namedFrom != 0;
  }

  /** Gives the connection back as it was. */
  public void nameAgain() {
    driver.setPrepareThreshold(namedFrom);
  }

  /** Whether a proxy answers the login and another process the statements. */
  static boolean isProxied(Connection connection) throws SQLException {
    if (!isOfDriver(connection)) {
      return false;
    }
    PGConnection driver = connection.unwrap(PGConnection.class);
    Boolean known = PROXIED.get(driver);
    if (known == null) {
      known = answersAs(connection) != driver.getBackendPID();
      PROXIED.put(driver, known);
    }
    return known;
  }

  private static boolean isOfDriver(Connection connection) throws SQLException {
    return DRIVER_IS_HERE && connection.isWrapperFor(PGConnection.class);
  }

  private static int answersAs(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      if (statement.isWrapperFor(PGStatement.class)) {
        statement.unwrap(PGStatement.class).setPrepareThreshold(0);
      }
      statement.execute(
          connection.getAutoCommit()
              ? "begin isolation level read committed; select pg_backend_pid(); commit"
              : "set transaction isolation level read committed; select pg_backend_pid()");
      statement.getMoreResults(); // the first answer is that of the beginning
      try (ResultSet row = statement.getResultSet()) {
        row.next();
        return row.getInt(1);
      }
    }
  }
}
