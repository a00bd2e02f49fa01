package dev.twinbox.examples.soak;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Looks who is in the middle of something that is not confirmed yet. Used by one thread.
 *
 * <ul>
 *   <li>a producer: in a transaction that has written;
 *   <li>a relay: it holds a lane with an open window, whose messages are committed and on their
 *       way, not yet confirmed or not yet noted as confirmed;
 *   <li>a consumer: in a transaction that has written, so that it has a delivery that it has not
 *       acknowledged.
 * </ul>
 */
final class WorkWatch implements AutoCloseable {
  private static final String QUERY =
      "select application_name from pg_stat_activity"
          + " where backend_xid is not null and application_name ~ '^(producer|consumer)-'"
          + " union select owner from twinbox.outbox_lane_state"
          + " where target is not null and owner is not null";

  private final DataSource source;
  private @Nullable Connection connection;

  WorkWatch(DataSource source) {
    this.source = source;
  }

  /** The processes that work; none while the database does not answer. */
  Set<SoakProcess> working(SoakProcesses processes) {
    Set<String> found = look();
    Set<SoakProcess> working = new HashSet<>();
    for (Role role : Role.values()) {
      for (SoakProcess process : processes.of(role)) {
        // A relay adds something random to its name, and a dead one still holds its lanes.
        boolean works =
            role == Role.RELAY
                ? found.stream().anyMatch(name -> name.startsWith(process.processName() + "-"))
                : found.contains(process.name());
        if (works) {
          working.add(process);
        }
      }
    }
    return working;
  }

  private Set<String> look() {
    Set<String> found = new HashSet<>();
    try {
      Connection open = connection;
      if (open == null) {
        open = source.getConnection();
        connection = open;
      }
      try (Statement statement = open.createStatement();
          ResultSet rows = statement.executeQuery(QUERY)) {
        while (rows.next()) {
          found.add(rows.getString(1));
        }
      }
      return found;
    } catch (SQLException e) {
      close();
      return Set.of();
    }
  }

  @Override
  public void close() {
    Connection open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        // It is gone all the same.
      }
    }
  }
}
