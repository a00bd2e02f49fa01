package dev.twinbox.relay.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the driver may prepare statements on the server under names of its own. A proxy that
 * lends server connections for single transactions leaves such a statement with another client,
 * whose own one of the same name may be met next. So where a proxy is in between, or where a
 * statement has vanished once, none is named. Thread-safe.
 *
 * <p>A proxy is known by the process number that it gave the driver at login, which is not that of
 * the process that answers. It is asked for once a connection.
 */
final class NamedStatements {
  private static final Logger log = LoggerFactory.getLogger(NamedStatements.class);

  /** Names no statement. */
  static final int NEVER = 0;

  /** "prepared statement does not exist", and "already exists". */
  private static final Set<String> VANISHED = Set.of("26000", "42P05");

  private static final Map<PGConnection, Boolean> PROXIED =
      Collections.synchronizedMap(new WeakHashMap<>());

  private final DataSource dataSource;
  private volatile boolean vanished;

  NamedStatements(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** Whether the connection keeps what is prepared on it. */
  boolean areKept(Connection connection) throws SQLException {
    if (vanished) {
      return false;
    }
    PGConnection driver = driver(connection);
    if (driver == null) {
      return true;
    }
    Boolean known = PROXIED.get(driver);
    if (known == null) {
      known = isProxied(connection, driver);
      PROXIED.put(driver, known);
    }
    return !known;
  }

  private static boolean isProxied(Connection connection, PGConnection driver) throws SQLException {
    try (Statement statement = Pipeline.statement(connection)) {
      statement.execute(Pipeline.BEGIN + "select pg_backend_pid(); commit");
      statement.getMoreResults(); // the first answer is that of the beginning
      try (ResultSet row = statement.getResultSet()) {
        row.next();
        return row.getInt(1) != driver.getBackendPID();
      }
    }
  }

  /** The driver's connection, or null where it does not show itself. */
  static @Nullable PGConnection driver(Connection connection) throws SQLException {
    return connection.isWrapperFor(PGConnection.class)
        ? connection.unwrap(PGConnection.class)
        : null;
  }

  /** Learns from a failure whether statements vanish: then none is named from now on. */
  void learn(SQLException failure) {
    if (!vanished && VANISHED.contains(String.valueOf(failure.getSQLState()))) {
      vanished = true;
      log.warn(
          "Prepared statements vanish from the connections of {}: {}. From now on none is prepared"
              + " here; for statements of your own set prepareThreshold=0 in the JDBC address",
          dataSource.getClass().getSimpleName(),
          failure.getMessage());
    }
  }
}
