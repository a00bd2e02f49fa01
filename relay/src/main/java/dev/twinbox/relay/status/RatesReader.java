package dev.twinbox.relay.status;

import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rates over the last minute. Out: what the relays have written down. In: how far the sequence of
 * positions went in that time, divided among destinations as the newest messages are; a position
 * that was rolled back counts too.
 */
final class RatesReader {
  private static final String MINUTE = "clock_timestamp() - interval '1 minute'";

  /** So many of the newest positions tell how messages spread over destinations. */
  private static final int NEWEST = 4_000;

  private final StatusQueries queries;

  RatesReader(StatusQueries queries) {
    this.queries = queries;
  }

  private record Span(@Nullable Long position, double sincePosition, double sinceCounted) {}

  private record Newest(
      String destination, long ofLastMinute, long all, double oldestOfLastMinute) {}

  private record Done(String destination, long published) {}

  Rates read(long lastPosition, boolean isRelayed) throws SQLException {
    Span span =
        queries.one(
            "select f.position, coalesce(extract(epoch from clock_timestamp() - f.taken_at), 0),"
                + " coalesce(extract(epoch from clock_timestamp() - (select min(taken_at - span_ms"
                + " * interval '1 millisecond') from {outbox_sample} where taken_at > "
                + MINUTE
                + ")), 0) from (select 1) one left join lateral (select position, taken_at from"
                + " {outbox_sample} where taken_at > "
                + MINUTE
                + " order by taken_at limit 1) f on true",
            r -> new Span(BacklogReader.longOrNull(r, 1), r.getDouble(2), r.getDouble(3)));
    Map<String, Double> out = new TreeMap<>();
    for (Done done :
        queries.all(
            "select d.destination, sum(d.published) from {outbox_sample} s cross join lateral"
                + " unnest(s.destinations, s.published) as d (destination, published) where"
                + " s.taken_at > "
                + MINUTE
                + " group by d.destination",
            r -> new Done(r.getString(1), r.getLong(2)))) {
      out.put(
          done.destination,
          StatusQueries.tenths(done.published / Math.max(1.0, span.sinceCounted)));
    }
    boolean outTold = span.position != null || !isRelayed;
    return in(span, lastPosition, out, outTold);
  }

  private Rates in(Span span, long last, Map<String, Double> out, boolean outTold)
      throws SQLException {
    // By (lane, position), from each lane; no lane has more than all positions there are.
    List<Newest> newest =
        queries.all(
            "select o.destination, count(*) filter (where o.due > "
                + MINUTE
                + "), count(*), coalesce(max(extract(epoch from clock_timestamp() - o.due)) filter"
                + " (where o.due > "
                + MINUTE
                + "), 0) from {outbox_lane} l cross join lateral (select o.destination, "
                + BacklogReader.DUE
                + " as due from {outbox} o where o.lane = l.lane and o.position > ? order by"
                + " o.lane, o.position) o group by o.destination",
            r -> new Newest(r.getString(1), r.getLong(2), r.getLong(3), r.getDouble(4)),
            last - NEWEST);
    long ofLastMinute = newest.stream().mapToLong(Newest::ofLastMinute).sum();
    long all = newest.stream().mapToLong(Newest::all).sum();
    double perSecond;
    Long then = span.position;
    if (then != null && span.sincePosition >= 2) {
      perSecond = Math.max(0, last - then) / span.sincePosition;
    } else {
      double oldest = newest.stream().mapToDouble(Newest::oldestOfLastMinute).max().orElse(0);
      perSecond =
          ofLastMinute
              / (ofLastMinute < NEWEST * 9 / 10 ? 60.0 : Math.max(1, Math.min(60, oldest)));
    }
    Map<String, Double> in = new TreeMap<>();
    for (Newest each : newest) {
      double share =
          ofLastMinute > 0 ? (double) each.ofLastMinute / ofLastMinute : (double) each.all / all;
      in.put(each.destination, StatusQueries.tenths(perSecond * share));
    }
    return new Rates(in, all > 0 || perSecond == 0, out, outTold);
  }
}
