package dev.twinbox.relay.status;

import dev.twinbox.relay.status.Backlog.Lane;
import dev.twinbox.relay.status.Status.LaneLine;
import dev.twinbox.relay.status.Status.RelayLine;
import dev.twinbox.relay.status.Status.Trouble;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** Looks at what the relays have written: that they live, which lanes they hold, what fails. */
final class RelayReader {
  private final StatusQueries queries;

  RelayReader(StatusQueries queries) {
    this.queries = queries;
  }

  List<RelayLine> relays() throws SQLException {
    return queries.all(
        "select relay, started_at, alive_until, brokers, clock_ahead_ms from {outbox_relay} where"
            + " alive_until > clock_timestamp() order by started_at",
        r ->
            new RelayLine(
                r.getString(1),
                StatusQueries.time(r, 2),
                StatusQueries.time(r, 3),
                List.of((String[]) r.getArray(4).getArray()),
                StatusQueries.tenths(r.getLong(5) / 1000.0)));
  }

  /** Of relays that see the same destination fail, the one that has seen it for longest. */
  List<Trouble> troubles() throws SQLException {
    return queries.all(
        "select distinct on (t.destination) t.destination, t.reason, t.ms / 1000.0 + extract(epoch"
            + " from clock_timestamp() - s.taken_at), t.parked from {outbox_relay} r cross join"
            + " lateral (select * from {outbox_sample} s where s.relay = r.relay and s.taken_at >"
            + " clock_timestamp() - interval '1 minute' order by s.taken_at desc limit 1) s cross"
            + " join lateral unnest(s.troubled, s.reasons, s.troubled_ms, s.parked) as t"
            + " (destination, reason, ms, parked) where r.alive_until > clock_timestamp() order by"
            + " t.destination, 3 desc",
        r ->
            new Trouble(
                r.getString(1),
                r.getString(2),
                StatusQueries.tenths(r.getDouble(3)),
                r.getBoolean(4)));
  }

  /** The last settle is the newest in what is kept of the log, walked by its primary key. */
  List<LaneLine> lanes(Map<Integer, Lane> waiting) throws SQLException {
    return queries.all(
        "select s.lane, s.broker, s.owner, extract(epoch from s.lease_until - clock_timestamp()),"
            + " case when s.lease_until is null or s.lease_until < clock_timestamp() then"
            + " extract(epoch from clock_timestamp() - coalesce(s.lease_until, s.written_at)) end,"
            + " s.epoch, s.window_number, s.target is not null, s.floor, s.ceiling,"
            + " s.cursor_position, (select g.written_at from {outbox_lane_log} g where g.lane ="
            + " s.lane and g.action = 'settle' order by g.seq desc limit 1) from"
            + " {outbox_lane_state} s order by s.lane",
        r -> {
          Lane lane = waiting.get(r.getInt(1));
          return new LaneLine(
              r.getInt(1),
              r.getString(2),
              r.getString(3),
              StatusQueries.tenths(r, 4),
              StatusQueries.tenths(r, 5),
              r.getLong(6),
              r.getLong(7),
              r.getBoolean(8),
              r.getLong(9),
              r.getLong(10),
              r.getLong(11),
              StatusQueries.timeOrNull(r, 12),
              lane == null ? 0 : lane.all().waiting(),
              lane == null ? null : lane.lowest());
        });
  }
}
