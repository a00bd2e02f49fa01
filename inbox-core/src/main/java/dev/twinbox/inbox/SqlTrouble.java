package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tells what an SQL error means for the whole transaction. */
final class SqlTrouble {
  private static final Set<String> RUN_AGAIN = Set.of("40001", "40P01");
  // Out of disk, memory or connections; shutting down; a standby after failover.
  private static final Set<String> OUTAGE_STATES = Set.of("57P01", "57P02", "57P03", "25006");
  private static final int VALIDATION_SECONDS = 5;

  private SqlTrouble() {}

  /** Whether running the transaction once more is all that is needed. */
  static boolean runAgain(Throwable error) {
    String state = state(error);
    return state != null && RUN_AGAIN.contains(state);
  }

  /**
   * Whether the server failed and not the message. A connection error in a handler can be that of
   * another system, so our own connection is asked.
   */
  static boolean outage(Throwable error, Connection connection) {
    String state = state(error);
    if (state != null && (state.startsWith("53") || OUTAGE_STATES.contains(state))) {
      return true;
    }
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
