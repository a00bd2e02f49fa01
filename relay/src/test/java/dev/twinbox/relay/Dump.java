package dev.twinbox.relay;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.postgresql.PGConnection;

/**
 * All rows of the schema as of one snapshot, and its sequences: what {@code pg_dump} writes. Loaded
 * as {@code pg_restore} does it, with one COPY and one transaction for each table.
 */
public final class Dump {
  private static final String TABLES =
      "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
          + " where n.nspname = 'twinbox' and c.relkind = 'r' order by c.relname";
  private static final String SEQUENCES =
      "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
          + " where n.nspname = 'twinbox' and c.relkind = 'S' order by c.relname";

  private final Map<String, String> rows = new LinkedHashMap<>();
  private final Map<String, String> sequences = new LinkedHashMap<>();

  private Dump() {}

  public static Dump of(OutboxDatabase database) throws SQLException, IOException {
    Dump dump = new Dump();
    try (Connection connection = database.begin();
        Statement statement = connection.createStatement()) {
      statement.execute("set transaction isolation level repeatable read");
      for (String table : list(statement, TABLES)) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyOut("copy " + table + " to stdout", out);
        dump.rows.put(table, out.toString(StandardCharsets.UTF_8));
      }
      for (String sequence : list(statement, SEQUENCES)) {
        dump.sequences.put(
            sequence,
            list(statement, "select last_value || ', ' || is_called from " + sequence).get(0));
      }
      connection.rollback();
    }
    return dump;
  }

  /** Replaces what the schema of a migrated database holds; its sequences stay at their start. */
  public void loadRows(OutboxDatabase target) throws SQLException, IOException {
    try (Connection connection = target.database().dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("set session_replication_role = replica");
      statement.execute("truncate " + String.join(", ", rows.keySet()));
      for (Map.Entry<String, String> table : rows.entrySet()) {
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn("copy " + table.getKey() + " from stdin", new StringReader(table.getValue()));
      }
    }
  }

  /** As {@code pg_restore} does at the end; logical replication does not. */
  public void loadSequences(OutboxDatabase target) throws SQLException {
    for (Map.Entry<String, String> sequence : sequences.entrySet()) {
      target.execute("select setval('%s', %s)".formatted(sequence.getKey(), sequence.getValue()));
    }
  }

  private static List<String> list(Statement statement, String query) throws SQLException {
    List<String> found = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        found.add(rows.getString(1));
      }
    }
    return found;
  }
}
