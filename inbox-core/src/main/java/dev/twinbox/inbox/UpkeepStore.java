package dev.twinbox.inbox;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The statements of upkeep, each in a transaction of its own. Holds no state. */
final class UpkeepStore {
  private static final String LOCK_NOT_AVAILABLE = "55P03";

  private final Transactions transactions;
  private final String restoreRows;
  private final String makeDays;
  private final String closeDays;
  private final String dropDay;
  private final String emptyDays;
  private final String purge;
  private final String users;
  private final String outlook;
  private final String keepFor;
  private final String keptFor;

  UpkeepStore(DataSource dataSource, String schema) {
    transactions = new Transactions(dataSource);
    restoreRows = "select %s.inbox_restore_rows()".formatted(schema);
    makeDays = "select %s.inbox_make_days(?, ?, ?)".formatted(schema);
    closeDays = "select %s.inbox_close_days(?)".formatted(schema);
    dropDay = "select count(%s.inbox_drop_day(?, ?))".formatted(schema);
    emptyDays = "select %s.inbox_empty_days(?)".formatted(schema);
    purge = "select %s.inbox_purge(?, ?)".formatted(schema);
    users = "select virtual_transaction from %s.inbox_users()".formatted(schema);
    outlook =
        """
        select coalesce((select max(day) from %1$s.inbox_day)
            - (clock_timestamp() at time zone 'UTC')::date, -1),
          (select count(*) from %1$s.inbox_day
            where closed_at < clock_timestamp() - interval '1 day'
              and day < (select max(day) from %1$s.inbox_day)),
          (extract(epoch from clock_timestamp()) * 1000)::bigint"""
            .formatted(schema);
    keptFor =
        "select extract(epoch from horizon)::bigint from %s.inbox_retention".formatted(schema);
    keepFor = "update %s.inbox_retention set horizon = make_interval(secs => ?)".formatted(schema);
  }

  /**
   * How things stand.
   *
   * @param daysAhead how many days after today have a table; negative when today has none
   * @param daysBehind how many days should have been dropped a day ago
   * @param clockAhead how far the database's clock is ahead of this process's
   */
  record Outlook(int daysAhead, int daysBehind, Duration clockAhead) {}

  int restoreRows() throws SQLException {
    return number(restoreRows);
  }

  int makeDays(int ahead, Duration wait) throws SQLException {
    return number(makeDays, ahead, (int) wait.toMillis(), clock());
  }

  int closeDays() throws SQLException {
    return number(closeDays, clock());
  }

  /** Drops one day; 0 when there is none to drop. */
  int dropDay(Duration wait) throws SQLException {
    return number(dropDay, (int) wait.toMillis(), clock());
  }

  int emptyDays() throws SQLException {
    return number(emptyDays, clock());
  }

  int purge(int atMost) throws SQLException {
    return number(purge, atMost, clock());
  }

  /** The transactions that use the inbox now. */
  Set<String> users() throws SQLException {
    return run(
        connection -> {
          try (PreparedStatement statement = connection.prepareStatement(users);
              ResultSet rows = statement.executeQuery()) {
            Set<String> transactions = new HashSet<>();
            while (rows.next()) {
              transactions.add(rows.getString(1));
            }
            return transactions;
          }
        });
  }

  Outlook outlook() throws SQLException {
    return run(
        connection -> {
          try (PreparedStatement statement = connection.prepareStatement(outlook);
              ResultSet row = statement.executeQuery()) {
            row.next();
            long ahead = row.getLong(3) - System.currentTimeMillis();
            return new Outlook(row.getInt(1), row.getInt(2), Duration.ofMillis(ahead));
          }
        });
  }

  void keepFor(Duration horizon) throws SQLException {
    run(
        connection -> {
          try (PreparedStatement statement = connection.prepareStatement(keepFor)) {
            statement.setDouble(1, horizon.toSeconds());
            return statement.executeUpdate();
          }
        });
  }

  Duration keptFor() throws SQLException {
    return Duration.ofSeconds(number(keptFor));
  }

  /** Whether a lock was not to be had in time. */
  static boolean isBusy(SQLException e) {
    return LOCK_NOT_AVAILABLE.equals(e.getSQLState());
  }

  private static Object clock() {
    return Instant.now().atOffset(ZoneOffset.UTC);
  }

  private int number(String query, Object... parameters) throws SQLException {
    return run(
        connection -> {
          try (PreparedStatement statement = connection.prepareStatement(query)) {
            for (int i = 0; i < parameters.length; i++) {
              statement.setObject(i + 1, parameters[i]);
            }
            try (ResultSet row = statement.executeQuery()) {
              if (!row.next()) {
                throw new SQLException("No row: " + query);
              }
              return row.getInt(1);
            }
          }
        });
  }

  private <T> T run(Transactions.SqlWork<T> work) throws SQLException {
    try {
      return transactions.run("The inbox's upkeep failed", work);
    } catch (DatabaseUnavailableException e) {
      @Nullable Throwable cause = e.getCause();
      if (cause instanceof SQLException sql) {
        throw sql;
      }
      throw e;
    }
  }
}
