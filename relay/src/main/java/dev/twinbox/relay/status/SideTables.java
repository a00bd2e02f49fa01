package dev.twinbox.relay.status;

import dev.twinbox.relay.status.Status.DeadLetterLine;
import dev.twinbox.relay.status.Status.ParkedLine;
import dev.twinbox.relay.status.Status.Scheduled;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Looks at what is parked, dead or scheduled. A table of up to a thousand pages is counted; of a
 * larger one, about as many pages are sampled and stand for the rest, so that no cost grows with
 * it.
 */
final class SideTables {
  private static final int PAGES = 1_000;

  private final StatusQueries queries;

  SideTables(StatusQueries queries) {
    this.queries = queries;
  }

  /** A share of a table's pages: the clause that takes them, and how much each row stands for. */
  private record Sample(String clause, double each) {
    long count(long seen) {
      return Math.round(seen * each);
    }

    boolean isEstimate() {
      return each > 1;
    }
  }

  private Sample sample(String table) throws SQLException {
    long pages =
        queries.one(
            "select pg_relation_size('{%s}'::regclass) / current_setting('block_size')::bigint"
                .formatted(table),
            r -> r.getLong(1));
    double share = pages <= PAGES ? 1 : (double) PAGES / pages;
    String percent = BigDecimal.valueOf(share * 100).toPlainString();
    return new Sample("{%s} tablesample system (%s)".formatted(table, percent), 1 / share);
  }

  List<ParkedLine> parked() throws SQLException {
    Sample sample = sample("outbox_parked");
    return queries.all(
        "select destination, reason, count(*), extract(epoch from clock_timestamp() -"
            + " min(parked_at)) from "
            + sample.clause
            + " group by 1, 2 order by 1, 2",
        r ->
            new ParkedLine(
                r.getString(1),
                r.getString(2),
                sample.count(r.getLong(3)),
                sample.isEstimate(),
                StatusQueries.tenths(r, 4)));
  }

  List<DeadLetterLine> deadLetters() throws SQLException {
    Sample sample = sample("outbox_dead_letter");
    return queries.all(
        "select destination, reason, count(*) from "
            + sample.clause
            + " where discarded_at is null group by 1, 2 order by 1, 2",
        r ->
            new DeadLetterLine(
                r.getString(1), r.getString(2), sample.count(r.getLong(3)), sample.isEstimate()));
  }

  /** By the primary key from its end, where the newest are. */
  int deadLettersLastHour() throws SQLException {
    return queries.one(
        "select count(*) from (select dead_at, discarded_at from {outbox_dead_letter} order by"
            + " number desc limit 1000) d where d.discarded_at is null and d.dead_at >"
            + " clock_timestamp() - interval '1 hour'",
        r -> r.getInt(1));
  }

  /** By the partial index on what blocks. */
  int blockedKeys() throws SQLException {
    return queries.one(
        "select count(*) from (select 1 from {outbox_dead_letter} where blocks_key limit 10000) b",
        r -> r.getInt(1));
  }

  Map<String, Long> scheduledByDestination() throws SQLException {
    Sample sample = sample("outbox_scheduled");
    Map<String, Long> counts = new TreeMap<>();
    queries
        .all(
            "select destination, count(*) from " + sample.clause + " group by 1",
            r -> Map.entry(r.getString(1), sample.count(r.getLong(2))))
        .forEach(each -> counts.put(each.getKey(), each.getValue()));
    return counts;
  }

  /** The next one by (due_at, number). */
  Scheduled scheduled(Map<String, Long> byDestination) throws SQLException {
    record Next(@Nullable Instant dueAt, @Nullable Double overdue) {}
    List<Next> next =
        queries.all(
            "select due_at, case when isfinite(due_at) and due_at < clock_timestamp() then"
                + " extract(epoch from clock_timestamp() - due_at) end from {outbox_scheduled}"
                + " order by due_at, number limit 1",
            r -> new Next(StatusQueries.timeOrNull(r, 1), StatusQueries.tenths(r, 2)));
    return new Scheduled(
        byDestination.values().stream().mapToLong(Long::longValue).sum(),
        sample("outbox_scheduled").isEstimate(),
        next.isEmpty() ? null : next.get(0).dueAt,
        next.isEmpty() ? null : next.get(0).overdue);
  }
}
