package dev.twinbox.relay.status;

import dev.twinbox.relay.status.Backlog.Lane;
import dev.twinbox.relay.status.Backlog.Pile;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Looks at what waits, at a cost that does not grow with it. The head of each lane is counted. Of a
 * lane that has more, the stretch up to the newest position is cut into equal parts, a few rows are
 * read from the beginning of each, and their density and destinations stand for the part.
 */
final class BacklogReader {
  /** The head of a lane, and of all lanes together. */
  private static final int HEAD = 10_000;

  private static final int HEADS = 80_000;
  private static final int PARTS = 16;

  /** Rows read from each part, and from all parts of all lanes. */
  private static final int PROBE = 250;

  private static final int PROBES = 32_000;

  /**
   * Since when a message is due. One that was scheduled was enqueued earlier; its id has the time
   * for which it was meant, as every id of version 7 has the latter of the two.
   */
  static final String DUE =
      "case when substr(o.id::text, 15, 1) = '7' and to_timestamp(('x' || translate(substr("
          + "o.id::text, 1, 13), '-', ''))::bit(48)::bigint / 1000.0) between o.created_at and"
          + " clock_timestamp() then to_timestamp(('x' || translate(substr(o.id::text, 1, 13), '-',"
          + " ''))::bit(48)::bigint / 1000.0) else o.created_at end";

  private static final String COLUMNS =
      "o.xid, o.position, o.destination, o.lane, o.id, o.created_at";

  private final StatusQueries queries;

  BacklogReader(StatusQueries queries) {
    this.queries = queries;
  }

  private record Head(
      int lane,
      String broker,
      String destination,
      long waiting,
      long seen,
      @Nullable Long lowest,
      long highest,
      @Nullable Double oldest) {}

  private record Probe(
      int lane,
      int part,
      String destination,
      long waiting,
      long seen,
      long highest,
      @Nullable Double oldest) {}

  Backlog read() throws SQLException {
    long last =
        queries.one(
            "select last_value - (not is_called)::int from {outbox_position}", r -> r.getLong(1));
    int count = Math.max(1, queries.one("select count(*) from {outbox_lane}", r -> r.getInt(1)));
    int limit = Math.max(100, Math.min(HEAD, HEADS / count));
    Map<Integer, List<Head>> heads = new TreeMap<>();
    for (Head head : heads(limit)) {
      heads.computeIfAbsent(head.lane, any -> new ArrayList<>()).add(head);
    }
    Map<Integer, Lane> lanes = new TreeMap<>();
    Map<Integer, Long> full = new TreeMap<>();
    heads.forEach(
        (number, parts) -> {
          Map<String, Pile> piles = new TreeMap<>();
          Long lowest = null;
          long highest = 0;
          long seen = 0;
          for (Head head : parts) {
            if (head.waiting > 0) {
              piles.put(head.destination, new Pile(head.waiting, false, head.oldest));
            }
            if (head.lowest != null && (lowest == null || head.lowest < lowest)) {
              lowest = head.lowest;
            }
            highest = Math.max(highest, head.highest);
            seen += head.seen;
          }
          lanes.put(number, new Lane(parts.get(0).broker, lowest, piles));
          if (seen > limit) {
            full.put(number, lowest == null ? Long.valueOf(highest) : lowest);
          }
        });
    if (!full.isEmpty()) {
      extrapolate(lanes, full, last, Math.max(10, Math.min(PROBE, PROBES / PARTS / full.size())));
    }
    return new Backlog(lanes, last);
  }

  /**
   * What lies beyond the floor and the cursor of an open window, by (lane, position), a few that
   * {@code done} covers among it; and before that what transactions left that ran when {@code done}
   * was taken, by (xid, lane, position).
   */
  private List<Head> heads(int limit) throws SQLException {
    String most = " limit " + (limit + 1);
    return queries.all(
        "with s as materialized (select l.*, greatest(cursor_position, floor) as reached from"
            + " {outbox_lane_state} l) select s.lane, s.broker, o.destination, count(*) filter"
            + " (where not pg_visible_in_snapshot(o.xid, s.done)), count(*), min(o.position) filter"
            + " (where not pg_visible_in_snapshot(o.xid, s.done)), max(o.position), extract(epoch"
            + " from clock_timestamp() - min("
            + DUE
            + ") filter (where not pg_visible_in_snapshot(o.xid, s.done))) from s cross join"
            + " lateral ((select "
            + COLUMNS
            + " from {outbox} o where o.lane = s.lane and o.position > s.reached order by o.lane,"
            + " o.position"
            + most
            + ") union all (select late.* from pg_snapshot_xip(s.done) x cross join lateral (select "
            + COLUMNS
            + " from {outbox} o where (o.xid, o.lane, o.position) > (x, s.lane, s.cursor_position)"
            + " and (o.xid, o.lane, o.position) <= (x, s.lane, s.reached) order by o.xid,"
            + " o.lane, o.position"
            + most
            + ") late"
            + most
            + ")) o group by s.lane, s.broker, o.destination",
        r ->
            new Head(
                r.getInt(1),
                r.getString(2),
                r.getString(3),
                r.getLong(4),
                r.getLong(5),
                longOrNull(r, 6),
                r.getLong(7),
                StatusQueries.tenths(r, 8)));
  }

  private void extrapolate(
      Map<Integer, Lane> lanes, Map<Integer, Long> full, long last, int rowsEach)
      throws SQLException {
    Map<Integer, Map<Integer, List<Probe>>> probes = new HashMap<>();
    for (Probe probe : probes(full, last, rowsEach)) {
      probes
          .computeIfAbsent(probe.lane, any -> new HashMap<>())
          .computeIfAbsent(probe.part, any -> new ArrayList<>())
          .add(probe);
    }
    full.forEach(
        (number, lowest) -> {
          Lane lane = lanes.get(number);
          if (lane == null) {
            return;
          }
          double length = (last - lowest + 1) / (double) PARTS;
          Map<String, Double> waiting = new TreeMap<>();
          Map<String, Double> oldest = new TreeMap<>();
          probes
              .getOrDefault(number, Map.of())
              .forEach(
                  (part, found) -> {
                    long seen = found.stream().mapToLong(Probe::seen).sum();
                    long highest = found.stream().mapToLong(Probe::highest).max().orElse(0);
                    double begins = lowest + part * length;
                    double each =
                        seen < rowsEach ? 1 : Math.max(1, length / (highest - begins + 1));
                    for (Probe probe : found) {
                      waiting.merge(probe.destination, probe.waiting * each, Double::sum);
                      Double age = probe.oldest;
                      if (age != null) {
                        oldest.merge(probe.destination, age, Math::max);
                      }
                    }
                  });
          Map<String, Pile> piles = new TreeMap<>(lane.destinations());
          waiting.forEach(
              (destination, estimate) -> {
                Pile head = piles.getOrDefault(destination, Pile.NONE);
                if (estimate > 0 || head.waiting() > 0) {
                  piles.put(
                      destination,
                      new Pile(
                          Math.max(head.waiting(), Math.round(estimate)),
                          true,
                          StatusQueries.older(head.oldestSeconds(), oldest.get(destination))));
                }
              });
          lanes.put(number, new Lane(lane.broker(), lane.lowest(), piles));
        });
  }

  /** By (lane, position), a few rows from the beginning of each part. */
  private List<Probe> probes(Map<Integer, Long> full, long last, int rowsEach) throws SQLException {
    return queries.all(
        "select p.lane, p.part, o.destination, count(*) filter (where not"
            + " pg_visible_in_snapshot(o.xid, p.done)), count(*), max(o.position), extract(epoch"
            + " from clock_timestamp() - min("
            + DUE
            + ") filter (where not pg_visible_in_snapshot(o.xid, p.done))) from (select s.lane,"
            + " s.done, part, l.lowest + (part * l.length)::bigint as low, l.lowest + ((part + 1) *"
            + " l.length)::bigint as high from (select x.lane, x.lowest, (?::bigint - x.lowest +"
            + " 1)::numeric / "
            + PARTS
            + " as length from unnest(?::integer[], ?::bigint[]) as x (lane, lowest)) l cross join"
            + " generate_series(0, "
            + (PARTS - 1)
            + ") part join {outbox_lane_state} s on s.lane = l.lane offset 0) p cross join lateral"
            + " (select "
            + COLUMNS
            + " from {outbox} o where o.lane = p.lane and o.position >= p.low and o.position <"
            + " p.high order by o.lane, o.position limit "
            + rowsEach
            + ") o group by p.lane, p.part, o.destination",
        r ->
            new Probe(
                r.getInt(1),
                r.getInt(2),
                r.getString(3),
                r.getLong(4),
                r.getLong(5),
                r.getLong(6),
                StatusQueries.tenths(r, 7)),
        last,
        queries.connection().createArrayOf("integer", full.keySet().toArray()),
        queries.connection().createArrayOf("bigint", full.values().toArray()));
  }

  static @Nullable Long longOrNull(ResultSet r, int column) throws SQLException {
    long value = r.getLong(column);
    return r.wasNull() ? null : value;
  }
}
