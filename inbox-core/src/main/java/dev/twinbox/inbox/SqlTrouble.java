package dev.twinbox.inbox;

import dev.twinbox.postgres.PostgresDriver;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells what an SQL error means for the whole transaction. A handler's error can be that of another
 * database, so its state alone proves nothing: our own connection is asked.
 */
final class SqlTrouble {
  private static final Set<String> RUN_AGAIN = Set.of("40001", "40P01");
  // Disk full and out of memory. The others of class 53 are limits of one session or of connecting.
  private static final Set<String> OUT_OF_ROOM = Set.of("53100", "53200");
  private static final Set<String> DOES_NOT_FIT = Set.of("22P05", "22021");
  private static final String INVALID_PARAMETER = "22023";
  private static final String ABORTED = "25P02";
  private static final String IDLED_TOO_LONG = "25P03";
  private static final int VALIDATION_SECONDS = 5;

  /** Stands in the error of a commit of another transaction, whatever the server's language is. */
  static final String NOT_THE_ONE_BEGUN = "not the transaction that was begun";

  private SqlTrouble() {}

  /** Whether a commit was refused because a handler has ended its transaction before. */
  static boolean notTheOneBegun(SQLException error) {
    String message = error.getMessage();
    return message != null && message.contains(NOT_THE_ONE_BEGUN);
  }

  /**
   * A cancelled wait for the synchronous standby is only a warning: the commit is known locally,
   * but a failover would erase it. What is not on the standby does not count.
   */
  static void refuseUnconfirmed(Statement commit) throws SQLException {
    for (SQLWarning each = commit.getWarnings(); each != null; each = each.getNextWarning()) {
      if (PostgresDriver.isAboutStandby(each)) {
        throw new DatabaseUnavailableException("The commit may not be on the standby", each);
      }
    }
  }

  /** Whether running the transaction once more is all that is needed. */
  static boolean runAgain(Throwable error) {
    String state = state(error);
    return state != null && RUN_AGAIN.contains(state);
  }

  /** Whether a server has no room; which server is another question. */
  static boolean outOfRoom(Throwable error) {
    String state = state(error);
    return state != null && OUT_OF_ROOM.contains(state);
  }

  /** Whether a text has a character that the database's encoding does not know. */
  static boolean doesNotFit(Throwable error) {
    String state = state(error);
    return state != null && DOES_NOT_FIT.contains(state);
  }

  /** Whether the database has never had a transaction of that id: it is another one by now. */
  static boolean unknownTransaction(Throwable error) {
    return INVALID_PARAMETER.equals(state(error));
  }

  /** Whether the session was ended because its handler left it idle for too long. */
  static boolean idledTooLong(Throwable error) {
    return IDLED_TOO_LONG.equals(state(error));
  }

  /** Whether an error has aborted the transaction that is open on the connection. */
  static boolean aborted(Connection connection) {
    try (Statement statement = connection.createStatement()) {
      statement.execute("select 1");
      return false;
    } catch (SQLException e) {
      return ABORTED.equals(e.getSQLState());
    }
  }

  static boolean lost(Connection connection) {
    try {
      return !connection.isValid(VALIDATION_SECONDS);
    } catch (SQLException e) {
      return true;
    }
  }

  /** Whether a connection to a server failed, or the server ended it; which is another question. */
  static boolean disconnected(Throwable error) {
    String state = state(error);
    return state != null && (state.startsWith("08") || state.startsWith("57P"));
  }

  private static @Nullable String state(@Nullable Throwable error) {
    Throwable cause = error;
    for (int depth = 0; cause != null && depth < 20; depth++) {
      if (cause instanceof SQLException sql && sql.getSQLState() != null) {
        return sql.getSQLState();
      }
      cause = Throwables.cause(cause);
    }
    return null;
  }
}
