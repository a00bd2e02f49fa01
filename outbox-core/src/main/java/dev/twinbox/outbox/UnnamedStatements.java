package dev.twinbox.outbox;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;

/**
 * Keeps PostgreSQL's driver from preparing our statements on the server under names where a proxy
 * lends server connections for single transactions: a named statement stays with a connection that
 * another client gets, and is missed by its own, whose transaction that would abort. Thread-safe.
 *
 * <p>A proxy is known by the process number that it gave the driver at login, which is not that of
 * the process that answers. It is asked for once a connection.
 */
final class UnnamedStatements implements AutoCloseable {
  /** What the driver says where a named statement is gone, or is another client's. */
  static final String REMEDY =
      " A statement that the driver had prepared is gone, as behind a proxy that lends server"
          + " connections (PgBouncer in transaction mode): set prepareThreshold=0 in the JDBC"
          + " address, or let the proxy keep prepared statements.";

  private static final UnnamedStatements NOTHING_TO_DO = new UnnamedStatements(null, 0);

  private static final Map<Object, Boolean> PROXIED =
      Collections.synchronizedMap(new WeakHashMap<>());

  private static final boolean DRIVER_IS_HERE = isDriverHere();

  private final @Nullable PGConnection driver;
  private final int namedFrom;

  private UnnamedStatements(@Nullable PGConnection driver, int namedFrom) {
    this.driver = driver;
    this.namedFrom = namedFrom;
  }

  private static boolean isDriverHere() {
    try {
      Class.forName("org.postgresql.PGConnection", false, UnnamedStatements.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /** Until it is closed no statement of the connection is named, if a proxy is in between. */
  static UnnamedStatements behindProxy(Connection connection) throws SQLException {
    if (!DRIVER_IS_HERE || !connection.isWrapperFor(PGConnection.class)) {
      return NOTHING_TO_DO;
    }
    PGConnection driver = connection.unwrap(PGConnection.class);
    Boolean proxied = PROXIED.get(driver);
    if (proxied == null) {
      proxied = answersAs(connection) != driver.getBackendPID();
      PROXIED.put(driver, proxied);
    }
    if (!proxied) {
      return NOTHING_TO_DO;
    }
    UnnamedStatements unnamed = new UnnamedStatements(driver, driver.getPrepareThreshold());
    driver.setPrepareThreshold(0);
    return unnamed;
  }

  private static int answersAs(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      if (statement.isWrapperFor(PGStatement.class)) {
        statement.unwrap(PGStatement.class).setPrepareThreshold(0);
      }
      try (ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
        row.next();
        return row.getInt(1);
      }
    }
  }

  @Override
  public void close() {
    if (driver != null) {
      driver.setPrepareThreshold(namedFrom);
    }
  }
}
