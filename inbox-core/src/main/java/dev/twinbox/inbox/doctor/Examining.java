package dev.twinbox.inbox.doctor;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;

/** Looks at a database in a transaction that changes nothing and ends soon. */
public final class Examining {
  /** An error by which the server says no; anything else may be the network. */
  private static final String NO_PERMISSION = "42501";

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
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      connection.rollback(); // a validation query may have begun a transaction
      try (Statement statement = connection.createStatement()) {
        statement.execute(
            "set transaction isolation level read committed, read only; set local statement_timeout = '5s'; set local"
                + " lock_timeout = '1s'");
        return reading.on(connection);
      } finally {
        connection.rollback();
        connection.setAutoCommit(autoCommit);
      }
    } catch (SQLException e) {
      String said = String.valueOf(e.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ");
      if (NO_PERMISSION.equals(e.getSQLState())) {
        return List.of(
            Finding.unknown(
                Check.NOT_READABLE,
                subject,
                said,
                "Let the role read it, or run the doctor as the owner of the tables."));
      }
      return List.of(
          Finding.unknown(
              Check.DATABASE_UNREACHABLE,
              subject,
              said,
              "See that the address is right and the server runs."));
    }
  }
}
