package dev.twinbox.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.ServerErrorMessage;

/** What PostgreSQL's own JDBC driver knows beyond JDBC; nothing where there is another one. */
public final class PostgresDriver {
  private static final BooleanSupplier NOT_KNOWN = () -> false;

  private PostgresDriver() {}

  /** Tells, without a word to the server, whether no transaction is open; false when not known. */
  public static BooleanSupplier idle(Connection connection) {
    try {
      return Calls.idle(connection);
    } catch (SQLException | LinkageError | RuntimeException e) {
      return NOT_KNOWN;
    }
  }

  /** Whether the warning says that a commit did not wait for the synchronous standby. */
  public static boolean isAboutStandby(SQLWarning warning) {
    try {
      String routine = Calls.routine(warning);
      if (routine != null) {
        return routine.startsWith("SyncRep");
      }
    } catch (LinkageError e) {
      // another driver: its text is all there is
    }
    return String.valueOf(warning.getMessage())
        .toLowerCase(Locale.ROOT)
        .contains("synchronous replication");
  }

  /** Loaded only where the driver is there. */
  private static final class Calls {
    private Calls() {}

    static BooleanSupplier idle(Connection connection) throws SQLException {
      BaseConnection driver = connection.unwrap(BaseConnection.class);
      return () -> driver.getTransactionState() == TransactionState.IDLE;
    }

    static @Nullable String routine(SQLWarning warning) {
      ServerErrorMessage message =
          warning instanceof PSQLWarning ours ? ours.getServerErrorMessage() : null;
      return message == null ? null : message.getRoutine();
    }
  }
}
