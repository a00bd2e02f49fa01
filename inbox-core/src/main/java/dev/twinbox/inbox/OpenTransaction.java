package dev.twinbox.inbox;

import dev.twinbox.inbox.doctor.DriverStatements;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A transaction on a connection of our own; what is not committed is rolled back at close. */
final class OpenTransaction implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(OpenTransaction.class);

  /**
   * The SET LOCAL keeps an acknowledged message's effects over a crash whatever the role's default
   * is; and it fails where a handler has swallowed an error and PostgreSQL has aborted the
   * transaction, while a bare COMMIT would quietly roll back.
   */
  static final String COMMIT = "set local synchronous_commit = on; commit";

  /**
   * What the inbox's transactions are, whatever the default of role, database or pool is: others
   * would fail them, or one another, with serialization failures, or refuse to write.
   */
  static final String MODES = "isolation level read committed, read write";

  /** Gives a transaction that has just begun its {@link #MODES}. */
  static final String BEGUN = "set transaction " + MODES;

  private final Connection connection;
  private final boolean autoCommitBefore;
  private final Optional<DriverStatements> unnamed;
  private boolean passedOn;

  private OpenTransaction(
      Connection connection, boolean autoCommitBefore, Optional<DriverStatements> unnamed) {
    this.connection = connection;
    this.autoCommitBefore = autoCommitBefore;
    this.unnamed = unnamed;
  }

  private OpenTransaction(Connection connection) throws SQLException {
    this(connection, connection.getAutoCommit(), unnamed(connection));
    if (autoCommitBefore) {
      connection.setAutoCommit(false);
    } else {
      connection.rollback(); // what was asked of it above has begun a transaction
    }
  }

  private static Optional<DriverStatements> unnamed(Connection connection) throws SQLException {
    if (!connection.getAutoCommit()) {
      connection.rollback(); // a validation query may have begun a transaction
    }
    return DriverStatements.unnamedBehindProxy(connection);
  }

  static OpenTransaction begin(DataSource dataSource) throws SQLException {
    Connection connection = dataSource.getConnection();
    try {
      return new OpenTransaction(connection);
    } catch (SQLException | RuntimeException e) {
      closeQuietly(connection);
      throw e;
    }
  }

  Connection connection() {
    return connection;
  }

  /** Commits durably, in one round trip. */
  void commit() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(COMMIT);
    }
  }

  /** This one is committed, and the next one is open on its connection: it is closed by that. */
  OpenTransaction passOn() {
    passedOn = true;
    return new OpenTransaction(connection, autoCommitBefore, unnamed);
  }

  void rollback() throws SQLException {
    connection.rollback();
  }

  @Override
  public void close() {
    if (passedOn) {
      return;
    }
    try {
      connection.rollback(); // nothing is sent when no transaction is open
      if (autoCommitBefore) {
        connection.setAutoCommit(true);
      }
      unnamed.ifPresent(DriverStatements::nameAgain);
    } catch (SQLException e) {
      log.debug("The transaction's connection is broken", e);
    } finally {
      closeQuietly(connection);
    }
  }

  private static void closeQuietly(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      log.debug("A connection did not close", e);
    }
  }
}
