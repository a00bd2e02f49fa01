package dev.twinbox.relay.cli;

import dev.twinbox.relay.store.ClusterGuard;
import dev.twinbox.relay.store.Tables;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Looks at the tables, at a cost that does not grow with the backlog. */
final class StatusReader {
  /** Beyond so many of a lane, the rest is extrapolated from how dense these lie. */
  private static final int COUNT_UP_TO = 10_000;

  /** Only reads; the planner is kept from sequential scans, which it prefers without statistics. */
  private static final String BEGIN =
      "set local transaction_read_only = on; set local statement_timeout = '30s'; set local"
          + " enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off;"
          + " set local jit = off";

  private final DataSource database;
  private final String schema;
  private final Tables tables;

  StatusReader(DataSource database, String schema) {
    this.database = database;
    this.schema = schema;
    tables = Tables.in(schema);
  }

  Status read() throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(BEGIN);
      Status status =
          new Status(
              schema,
              version(statement),
              one(statement, "select clock_timestamp()", r -> time(r, 1)),
              ClusterGuard.doubts(connection, tables).orElse(null),
              relays(statement),
              brokers(statement),
              lanes(statement),
              parked(statement),
              deadLetters(statement),
              one(
                  statement,
                  "select count(*) from (select 1 from {outbox_dead_letter} where blocks_key limit"
                      + " 10000) b",
                  r -> r.getInt(1)),
              one(
                  statement,
                  "select count(*) from (select 1 from {outbox_scheduled} limit 100000) s",
                  r -> r.getLong(1)));
      connection.rollback();
      return status;
    }
  }

  private int version(Statement statement) throws SQLException {
    boolean there =
        one(
            statement,
            "select to_regclass('%s') is not null"
                .formatted(tables.of("schema_version").replace("'", "''")),
            r -> r.getBoolean(1));
    if (!there) {
      throw new CommandException(
          "The schema %s has no Twinbox tables. Run: bin/twinbox migrate".formatted(schema));
    }
    return one(
        statement, "select coalesce(max(version), 0) from {schema_version}", r -> r.getInt(1));
  }

  private List<Status.RelayLine> relays(Statement statement) throws SQLException {
    return all(
        statement,
        "select relay, started_at, alive_until, clock_ahead_ms from {outbox_relay} where alive_until"
            + " > clock_timestamp() order by started_at",
        r ->
            new Status.RelayLine(
                r.getString(1), time(r, 2), time(r, 3), Math.round(r.getLong(4) / 100.0) / 10.0));
  }

  /** The last settle is the newest in what is kept of the log, walked by its primary key. */
  private List<Status.LaneLine> lanes(Statement statement) throws SQLException {
    return all(
        statement,
        "select s.lane, s.broker, s.owner, extract(epoch from s.lease_until - clock_timestamp()),"
            + " s.epoch, s.window_number, s.target is not null, s.floor, s.ceiling,"
            + " s.cursor_position, (select g.written_at from {outbox_lane_log} g where g.lane ="
            + " s.lane and g.action = 'settle' order by g.seq desc limit 1) from"
            + " {outbox_lane_state} s order by s.lane",
        r ->
            new Status.LaneLine(
                r.getInt(1),
                r.getString(2),
                r.getString(3),
                tenths(r, 4),
                r.getLong(5),
                r.getLong(6),
                r.getBoolean(7),
                r.getLong(8),
                r.getLong(9),
                r.getLong(10),
                timeOrNull(r, 11)));
  }

  private List<Status.ParkedLine> parked(Statement statement) throws SQLException {
    return all(
        statement,
        "select destination, reason, count(*), extract(epoch from clock_timestamp() -"
            + " min(parked_at)) from (select destination, reason, parked_at from {outbox_parked}"
            + " limit 100000) p group by 1, 2 order by 1, 2",
        r -> new Status.ParkedLine(r.getString(1), r.getString(2), r.getLong(3), tenths(r, 4)));
  }

  private List<Status.DeadLetterLine> deadLetters(Statement statement) throws SQLException {
    return all(
        statement,
        "select destination, reason, count(*) from {outbox_dead_letter} where discarded_at is null"
            + " group by 1, 2 order by 1, 2",
        r -> new Status.DeadLetterLine(r.getString(1), r.getString(2), r.getLong(3)));
  }

  /**
   * What waits in each lane. While a window is open: what lies beyond its cursor, by (lane,
   * position). Otherwise: what came after {@code done}, by (lane, xid, position). In both cases
   * also what transactions left that ran when {@code done} was taken.
   */
  private List<Status.BrokerLine> brokers(Statement statement) throws SQLException {
    String limit = " limit " + (COUNT_UP_TO + 1);
    String sql =
        "with s as (select l.*, greatest(cursor_position, floor) as reached from"
            + " {outbox_lane_state} l) select s.broker, w.waiting, w.lowest, w.highest, (select"
            + " last_value from {outbox_position}), extract(epoch from clock_timestamp() - (select"
            + " o.created_at from {outbox} o where o.lane = s.lane and o.position = w.lowest)) from"
            + " s cross join lateral (select count(*) as waiting, min(position) as lowest,"
            + " max(position) as highest from ((select o.xid, o.position from {outbox} o where"
            + " s.target is not null and o.lane = s.lane and o.position > s.reached order by"
            + " o.lane, o.position"
            + limit
            + ") union all (select o.xid, o.position from {outbox} o where s.target is null and"
            + " o.lane = s.lane and (o.lane, o.xid, o.position) >= (s.lane,"
            + " pg_snapshot_xmax(s.done), 0) order by o.lane, o.xid, o.position"
            + limit
            + ") union all (select late.* from pg_snapshot_xip(s.done) x cross join lateral"
            + " (select o.xid, o.position from {outbox} o where (o.lane, o.xid, o.position) >="
            + " (s.lane, x, 0) and (o.lane, o.xid, o.position) <= (s.lane, x, case when s.target is"
            + " null then 9223372036854775807 else s.reached end) and o.position >"
            + " s.cursor_position order by o.lane, o.xid, o.position"
            + limit
            + ") late"
            + limit
            + ")) found where not pg_visible_in_snapshot(found.xid, s.done)) w";
    Map<String, Status.BrokerLine> brokers = new TreeMap<>();
    for (Status.BrokerLine lane : all(statement, sql, StatusReader::waiting)) {
      brokers.merge(lane.broker(), lane, StatusReader::together);
    }
    return List.copyOf(brokers.values());
  }

  private static Status.BrokerLine waiting(ResultSet r) throws SQLException {
    long counted = r.getLong(2);
    long lowest = r.getLong(3);
    long highest = r.getLong(4);
    boolean more = counted > COUNT_UP_TO && highest > lowest;
    double density = more ? (double) counted / (highest - lowest) : 0;
    long waiting =
        more ? Math.max(counted, Math.round(density * (r.getLong(5) - lowest))) : counted;
    return new Status.BrokerLine(r.getString(1), waiting, more, tenths(r, 6));
  }

  private static Status.BrokerLine together(Status.BrokerLine a, Status.BrokerLine b) {
    Double oldest = a.oldestWaitingSeconds();
    Double other = b.oldestWaitingSeconds();
    return new Status.BrokerLine(
        a.broker(),
        a.waiting() + b.waiting(),
        a.waitingIsEstimated() || b.waitingIsEstimated(),
        oldest == null || (other != null && other > oldest) ? other : oldest);
  }

  /** Reads a row. */
  private interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  private <T> T one(Statement statement, String sql, Row<T> row) throws SQLException {
    return all(statement, sql, row).get(0);
  }

  private <T> List<T> all(Statement statement, String sql, Row<T> row) throws SQLException {
    List<T> found = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery(tables.sql(sql))) {
      while (rows.next()) {
        found.add(row.read(rows));
      }
    }
    return found;
  }

  private static String time(ResultSet r, int column) throws SQLException {
    return r.getObject(column, OffsetDateTime.class).toInstant().toString();
  }

  private static @Nullable String timeOrNull(ResultSet r, int column) throws SQLException {
    OffsetDateTime time = r.getObject(column, OffsetDateTime.class);
    Instant instant = time == null ? null : time.toInstant();
    return instant == null ? null : instant.toString();
  }

  private static @Nullable Double tenths(ResultSet r, int column) throws SQLException {
    double value = r.getDouble(column);
    return r.wasNull() ? null : Math.round(value * 10) / 10.0;
  }
}
