package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
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
  private static final String ABORTED = "25P02";
  private static final String IDLED_TOO_LONG = "25P03";
  private static final int VALIDATION_SECONDS = 5;

  private SqlTrouble() {}

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

  private static @Nullable String state(@Nullable Throwable error) {
    Throwable cause = error;
    for (int depth = 0; cause != null && depth < 20; depth++) {
      if (cause instanceof SQLException sql && sql.getSQLState() != null) {
        return sql.getSQLState();
      }
      cause = cause.getCause();
    }
    return null;
  }
}
