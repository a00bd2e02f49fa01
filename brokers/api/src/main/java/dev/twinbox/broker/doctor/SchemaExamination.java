package dev.twinbox.broker.doctor;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;

/**
 * Looks at the version of Twinbox's tables.
 *
 * @param quotedSchema the schema's name in double quotes
 * @param needs the oldest version of the tables that this code works with
 * @param codeVersion the version that this code was written for
 * @param grant how a role gets its rights
 */
public record SchemaExamination(String quotedSchema, int needs, int codeVersion, String grant) {
  private static final String MIGRATE =
      "bin/twinbox migrate, or in Java Migrations.apply(dataSource)";

  /** What keeps this code from working with the tables, if anything does. */
  public Optional<Finding> examine(Connection connection) throws SQLException {
    String subject = "schema " + quotedSchema;
    if (!exists(connection)) {
      return Optional.of(
          Finding.danger(
              CommonCheck.SCHEMA_MISSING,
              subject,
              "no Twinbox tables; this code needs version " + needs,
              MIGRATE));
    }
    List<Finding> missing =
        new Privileges(quotedSchema)
            .table(List.of("select"), "schema_version")
            .missing(connection, grant);
    if (!missing.isEmpty()) {
      return Optional.of(missing.get(0));
    }
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select coalesce(max(version), 0), coalesce(max(serves_code_from), 0) from "
                    + quotedSchema
                    + ".schema_version")) {
      row.next();
      int found = row.getInt(1);
      if (found == 0) {
        return Optional.of(
            Finding.danger(
                CommonCheck.ROWS_MISSING,
                subject,
                "the tables are there and schema_version has no row",
                "Run bin/twinbox migrate, or start a relay: they put it back."));
      }
      if (found < needs) {
        return Optional.of(
            Finding.danger(
                CommonCheck.SCHEMA_TOO_OLD,
                subject,
                "version %s; this code needs version %s".formatted(found, needs),
                MIGRATE));
      }
      if (row.getInt(2) > codeVersion) {
        return Optional.of(
            Finding.danger(
                CommonCheck.SCHEMA_TOO_NEW,
                subject,
                "version %s, which serves code from version %s on; this code is version %s"
                    .formatted(found, row.getInt(2), codeVersion),
                "Upgrade this service."));
      }
      return Optional.empty();
    }
  }

  private boolean exists(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                + " where c.relname = 'schema_version' and '\"' || n.nspname || '\"' = ?)")) {
      statement.setString(1, quotedSchema);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }
}
