package dev.twinbox.migrations;

import dev.twinbox.postgres.SchemaName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/** Looks whether a schema has all tables, without changing any. */
final class SchemaCheck {
  private final SchemaName schema;
  private final int newest;

  SchemaCheck(SchemaName schema, int newest) {
    this.schema = schema;
    this.newest = newest;
  }

  void refuseOlder(DataSource dataSource) {
    int found;
    try (Connection connection = dataSource.getConnection()) {
      found = version(connection);
    } catch (SQLException e) {
      throw new IllegalStateException(
          "The version of the schema %s is not known: %s"
              .formatted(schema.quoted(), e.getMessage()),
          e);
    }
    if (found < newest) {
      throw new IllegalStateException(
          ("The schema %s %s; this code needs version %s. Run: bin/twinbox migrate, or call"
                  + " Migrations.apply(dataSource)")
              .formatted(
                  schema.quoted(),
                  found == 0 ? "has no Twinbox tables" : "is at version " + found,
                  newest));
    }
  }

  private int version(Connection connection) throws SQLException {
    String table = schema.quoted() + ".schema_version";
    try (PreparedStatement exists =
        connection.prepareStatement("select to_regclass(?) is not null")) {
      exists.setString(1, table);
      try (ResultSet row = exists.executeQuery()) {
        if (!row.next() || !row.getBoolean(1)) {
          return 0;
        }
      }
    }
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select coalesce(max(version), 0) from " + table)) {
      row.next();
      return row.getInt(1);
    }
  }
}
