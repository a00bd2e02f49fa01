package dev.twinbox.broker.doctor;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a role needs, and what of it is missing. Not thread-safe.
 *
 * <p>Works on the connection's own role, in the transaction that is open.
 */
public final class Privileges {
  private final String schema;
  private final List<String> kinds = new ArrayList<>();
  private final List<String> objects = new ArrayList<>();
  private final List<String> rights = new ArrayList<>();

  /**
   * @param quotedSchema the schema's name in double quotes
   */
  public Privileges(String quotedSchema) {
    schema = quotedSchema;
  }

  /** Needs these rights on each of the tables, named without their schema. */
  public Privileges table(List<String> needed, String... tables) {
    return add("table", needed, tables);
  }

  /** Needs these rights on the sequence. */
  public Privileges sequence(List<String> needed, String sequence) {
    return add("sequence", needed, sequence);
  }

  /** Needs to call each of the functions, named with their arguments' types. */
  public Privileges function(String... functions) {
    return add("function", List.of("execute"), functions);
  }

  private Privileges add(String kind, List<String> needed, String... names) {
    for (String name : names) {
      for (String right : needed) {
        kinds.add(kind);
        objects.add(schema + "." + name);
        rights.add(right);
      }
    }
    return this;
  }

  /**
   * What is missing, as findings; what does not exist counts as missing.
   *
   * @param remedy how to grant it
   */
  public List<Finding> missing(Connection connection, String remedy) throws SQLException {
    // CASE, because privilege functions fail on what does not exist.
    String sql =
        """
        select kind, object, string_agg(priv, ', ' order by priv), current_user
        from unnest(?::text[], ?::text[], ?::text[]) need(kind, object, priv)
        where not case kind
          when 'table' then case when to_regclass(object) is null then false
            else has_table_privilege(to_regclass(object), priv) end
          when 'sequence' then case when to_regclass(object) is null then false
            else has_sequence_privilege(to_regclass(object), priv) end
          else case when to_regprocedure(object) is null then false
            else has_function_privilege(to_regprocedure(object), priv) end end
        group by kind, object order by object
        """;
    if (!mayUseSchema(connection)) {
      return List.of(
          Finding.danger(CommonCheck.GRANT_MISSING, "schema " + schema, "lacks usage", remedy));
    }
    List<Finding> findings = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setArray(1, texts(connection, kinds));
      statement.setArray(2, texts(connection, objects));
      statement.setArray(3, texts(connection, rights));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          findings.add(
              Finding.danger(
                  CommonCheck.GRANT_MISSING,
                  "%s %s".formatted(rows.getString(1), rows.getString(2)),
                  "role %s lacks %s".formatted(rows.getString(4), rows.getString(3)),
                  remedy));
        }
      }
    }
    return findings;
  }

  private boolean mayUseSchema(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select coalesce((select has_schema_privilege(oid, 'usage') from pg_namespace where"
                + " quote_ident(nspname) = ? or '\"' || nspname || '\"' = ?), false)")) {
      statement.setString(1, schema);
      statement.setString(2, schema);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() && rows.getBoolean(1);
      }
    }
  }

  private static Array texts(Connection connection, List<String> values) throws SQLException {
    return connection.createArrayOf("text", values.toArray());
  }
}
