package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** For how long everything is kept, as the operator sets it; one truth a schema. Thread-safe. */
public final class RetentionTimes {
  private final OwnTransactions transactions;
  private final Tables tables;

  /** Works on the tables in {@code tables}. */
  public RetentionTimes(DataSource database, Tables tables) {
    transactions = new OwnTransactions(database);
    this.tables = tables;
  }

  /** What is kept for a time of its own. */
  public enum Kept {
    /** Copies of what was published; not kept at all without a time. */
    ARCHIVE("archive"),
    /** Dead letters that nobody has decided on; discarded then. */
    DEAD_LETTERS("dead_letters"),
    /** Discarded dead letters. */
    DISCARDED("discarded"),
    /** Who did what. */
    AUDIT("audit"),
    /** Producers' dedup keys. */
    DEDUP("dedup");

    private final String column;

    Kept(String column) {
      this.column = column;
    }
  }

  /** The times as PostgreSQL writes intervals, null for none; in the order of {@link Kept}. */
  public Map<Kept, @Nullable String> read() throws SQLException {
    try (Connection connection = transactions.open();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(tables.sql("select * from {outbox_retention}"))) {
      row.next();
      Map<Kept, @Nullable String> times = new LinkedHashMap<>();
      for (Kept kept : Kept.values()) {
        times.put(kept, row.getString(kept.column));
      }
      return times;
    }
  }

  /**
   * Sets some times, all or none, with a line in the audit, and makes the archive's first days when
   * it begins.
   *
   * @param times an interval in PostgreSQL's words, or null for none
   * @param by who does it
   */
  public void set(Map<Kept, @Nullable String> times, String by) throws SQLException {
    try (Connection connection = transactions.open()) {
      try {
        for (Map.Entry<Kept, @Nullable String> each : times.entrySet()) {
          try (PreparedStatement update =
              connection.prepareStatement(
                  tables.sql(
                      "update {outbox_retention} set "
                          + each.getKey().column
                          + " = ?::interval"))) {
            update.setString(1, each.getValue());
            update.executeUpdate();
          }
        }
        try (PreparedStatement audit =
            connection.prepareStatement(
                tables.sql(
                    "insert into {outbox_audit} (done_by, action, selection, affected) values (?,"
                        + " 'retention', ?, ?)"))) {
          audit.setString(1, by);
          audit.setString(2, times.toString());
          audit.setInt(3, times.size());
          audit.executeUpdate();
        }
        try (Statement days = connection.createStatement()) {
          days.execute(tables.sql("select {outbox_archive_make_days}(2)"));
        }
        connection.commit();
      } finally {
        // Also after the commit, where there is nothing to roll back.
        connection.rollback();
      }
    }
  }
}
