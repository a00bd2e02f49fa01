package dev.twinbox.migrations;

import dev.twinbox.postgres.SchemaName;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;

/**
 * Tables whose history was removed, as by a TRUNCATE of all tables, or that were made by a script
 * of the user's own. Flyway would make them once more and fail.
 */
final class MissingHistory {
  private final DataSource dataSource;
  private final SchemaName schema;

  MissingHistory(DataSource dataSource, SchemaName schema) {
    this.dataSource = dataSource;
    this.schema = schema;
  }

  /**
   * The version from which Flyway shall go on where it knows of none.
   *
   * @param marks a table or function of each version, the first version's first
   */
  String baseline(List<String> marks) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      int version = 0;
      while (version < marks.size() && exists(statement, marks.get(version))) {
        version++;
      }
      String history = Migrations.HISTORY_TABLE;
      if (version > 0 && exists(statement, history) && isEmpty(statement, history)) {
        statement.execute("drop table " + of(history));
      }
      return Integer.toString(version);
    } catch (SQLException e) {
      throw failure("The tables of schema " + schema.name() + " could not be looked at", e);
    }
  }

  /** Puts back rows without which nothing works; see the functions. */
  void mend() {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("select " + of("outbox_mend") + "()");
      statement.execute("select " + of("inbox_restore_rows") + "()");
    } catch (SQLException e) {
      throw failure("Rows of schema " + schema.name() + " could not be put back", e);
    }
  }

  private boolean exists(Statement statement, String name) throws SQLException {
    return ask(
        statement,
        "select coalesce(to_regclass('%1$s')::oid, to_regproc('%1$s')::oid) is not null"
            .formatted(of(name)));
  }

  private boolean isEmpty(Statement statement, String table) throws SQLException {
    return ask(statement, "select not exists (select from " + of(table) + ")");
  }

  private static boolean ask(Statement statement, String sql) throws SQLException {
    try (ResultSet row = statement.executeQuery(sql)) {
      return row.next() && row.getBoolean(1);
    }
  }

  private String of(String name) {
    return schema.quoted() + "." + name;
  }

  private static IllegalStateException failure(String what, SQLException e) {
    return new IllegalStateException(what + ": " + e.getMessage(), e);
  }
}
