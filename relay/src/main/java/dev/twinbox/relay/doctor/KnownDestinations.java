package dev.twinbox.relay.doctor;

import dev.twinbox.postgres.Tables;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where messages go, as far as the tables tell. Reads at most so many rows of each lane and table,
 * however much waits.
 */
final class KnownDestinations {
  private static final int ROWS = 1_000;

  private KnownDestinations() {}

  /** Destinations of what waits, and whether messages without a key are among it. */
  static Map<String, Boolean> waiting(Connection connection, Tables tables) throws SQLException {
    String sql =
        """
        select destination, bool_or(key is null) from (
          (select o.destination, o.key from {outbox_lane_state} s cross join lateral (
            select destination, key from {outbox}
            where lane = s.lane and position > greatest(s.floor, s.cursor_position)
              and not pg_visible_in_snapshot(xid, s.done)
            order by lane, position limit %1$s) o)
          union all (select destination, key from {outbox_scheduled} order by due_at, number limit %1$s)
          union all (select destination, key from {outbox_parked} order by lane, position limit %1$s)
        ) known group by destination
        """;
    return read(connection, tables.sql(sql.formatted(ROWS)));
  }

  /** Destinations of dead letters, which can be sent again. */
  static Map<String, Boolean> givenUp(Connection connection, Tables tables) throws SQLException {
    String sql =
        "select destination, bool_or(key is null) from (select destination, key from"
            + " {outbox_dead_letter} order by number desc limit %s) d group by destination";
    return read(connection, tables.sql(sql.formatted(ROWS)));
  }

  private static Map<String, Boolean> read(Connection connection, String sql) throws SQLException {
    Map<String, Boolean> known = new TreeMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        known.put(rows.getString(1), rows.getBoolean(2));
      }
    }
    return known;
  }
}
