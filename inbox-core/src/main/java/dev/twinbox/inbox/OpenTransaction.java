package dev.twinbox.inbox;

import dev.twinbox.broker.doctor.DriverStatements;
import dev.twinbox.postgres.PostgresDriver;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A transaction on a connection of our own; what is not committed is rolled back at close. */
final class OpenTransaction implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(OpenTransaction.class);

  /** Keeps what is acknowledged over a crash whatever the role's default is. */
  static final String COMMIT =
      "set local synchronous_commit = on; set local client_min_messages = warning; commit";

  /**
   * The same for a duplicate, whose first commit may not have arrived on the synchronous standby.
   * Where nothing is written, a commit does not wait for it; so something is.
   */
  static final String DURABLE_COLUMNS =
      """
      set_config('synchronous_commit', 'on', true),
        set_config('client_min_messages', 'warning', true),
        case when pg_current_xact_id_if_assigned() is null
            and current_setting('synchronous_standby_names') <> ''
          then pg_logical_emit_message(true, 'twinbox', '') end""";

  /** {@link #DURABLE_COLUMNS} alone. */
  static final String DURABLE = "select " + DURABLE_COLUMNS;

  /**
   * Where a handler has run. Lets nothing be committed but the transaction of the given id, because
   * a handler may have ended that; and fails where it has swallowed an error and PostgreSQL has
   * aborted the transaction, while a bare COMMIT would quietly roll back.
   */
  static final String DEMAND_BEGUN =
      """
      select set_config('client_min_messages', 'warning', true),
        set_config('synchronous_commit', case pg_current_xact_id_if_assigned()
          when cast(? as xid8) then 'on' else '%s' end, true)"""
          .formatted(SqlTrouble.NOT_THE_ONE_BEGUN);

  /** The same with the commit. */
  static final String COMMIT_BEGUN = DEMAND_BEGUN + "; commit";

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
  private final BooleanSupplier idle;
  private @Nullable Recorded begun;
  private boolean passedOn;

  private OpenTransaction(
      Connection connection, boolean autoCommitBefore, Optional<DriverStatements> unnamed) {
    this.connection = connection;
    this.autoCommitBefore = autoCommitBefore;
    this.unnamed = unnamed;
    idle = PostgresDriver.idle(connection);
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
    Connection connection;
    try {
      connection = dataSource.getConnection();
    } catch (RuntimeException e) { // not all pools keep to SQLException
      throw new SQLException("The pool failed", e);
    }
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

  /** Takes note of what was recorded: it commits only as the transaction in which that was. */
  void begun(Recorded recorded) {
    begun = recorded;
  }

  /** The id of the transaction, for whose sake a handler runs; or null. */
  @Nullable String id() {
    return begun == null ? null : begun.transaction();
  }

  /**
   * Whether the driver knows that no transaction is open any more. Asks nobody; what it denies may
   * be another transaction.
   */
  boolean isOver() {
    return idle.getAsBoolean();
  }

  /**
   * Commits durably, in one round trip.
   *
   * @throws DatabaseUnavailableException when it is not on the synchronous standby
   */
  void commit() throws SQLException {
    String id = id();
    String text = begun == null ? COMMIT : id == null ? DURABLE + "; commit" : COMMIT_BEGUN;
    try (PreparedStatement statement = connection.prepareStatement(text)) {
      if (id != null) {
        statement.setString(1, id);
      }
      statement.execute();
      SqlTrouble.refuseUnconfirmed(statement);
    }
  }

  /** Makes the commit of a transaction durable that somebody else commits, or fails. */
  static void readyToCommit(Connection connection, Recorded begun) throws SQLException {
    String id = begun.transaction();
    try (PreparedStatement statement =
        connection.prepareStatement(id == null ? DURABLE : DEMAND_BEGUN)) {
      if (id != null) {
        statement.setString(1, id);
      }
      statement.execute();
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
