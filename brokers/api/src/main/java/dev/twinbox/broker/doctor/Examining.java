package dev.twinbox.broker.doctor;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/** Looks at a database in a transaction that changes nothing and ends soon. */
public final class Examining {
  /** An error by which the server says no; anything else may be the network. */
  private static final String NO_PERMISSION = "42501";

  private static final String BEGIN =
      "set transaction isolation level read committed read only; set local statement_timeout ="
          + " '5s'; set local lock_timeout = '1s'; set local idle_in_transaction_session_timeout ="
          + " 0";

  private Examining() {}

  /** Reads on a connection. */
  @FunctionalInterface
  public interface Reading {
    /** Looks, and says what it found. */
    List<Finding> on(Connection connection) throws SQLException;
  }

  /**
   * Runs the reading in a read-only transaction, each statement of which may take 5 seconds. What
   * fails becomes a finding; nothing is thrown.
   */
  public static List<Finding> database(DataSource dataSource, String subject, Reading reading) {
    try (Connection connection = dataSource.getConnection()) {
      Optional<DriverStatements> unnamed = DriverStatements.unnamed(connection);
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      connection.rollback(); // a validation query may have begun a transaction
      try (Statement statement = connection.createStatement()) {
        statement.execute(BEGIN);
        List<Finding> findings = new ArrayList<>(reading.on(connection));
        if (unnamed.isPresent()
            && unnamed.get().wereNamed()
            && DriverStatements.isProxied(connection)) {
          findings.add(namedBehindProxy());
        }
        return findings;
      } finally {
        rollback(connection);
        connection.setAutoCommit(autoCommit);
        unnamed.ifPresent(DriverStatements::nameAgain);
      }
    } catch (SQLException e) {
      String said = String.valueOf(e.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ");
      if (NO_PERMISSION.equals(e.getSQLState())) {
        return List.of(
            Finding.unknown(
                CommonCheck.NOT_READABLE,
                subject,
                said,
                "Let the role read it, or run the doctor as the owner of the tables."));
      }
      return List.of(
          Finding.unknown(
              CommonCheck.DATABASE_UNREACHABLE,
              subject,
              said,
              "See that the address is right and the server runs."));
    }
  }

  /** By a text: the driver may keep its own ROLLBACK prepared under a name. */
  private static void rollback(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("rollback");
    }
  }

  private static Finding namedBehindProxy() {
    return Finding.warning(
        CommonCheck.NAMED_STATEMENTS_BEHIND_PROXY,
        "connection",
        "a proxy lends server connections, and the driver prepares statements on them",
        "Set prepareThreshold=0 in the JDBC address, unless the proxy keeps prepared statements, as"
            + " PgBouncer does from 1.21 on with max_prepared_statements above 0.");
  }
}
