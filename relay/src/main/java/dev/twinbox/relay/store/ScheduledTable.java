package dev.twinbox.relay.store;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.postgres.Tables;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The messages that are not due yet, as an operator works on them. Each batch of a cancellation is
 * one transaction with its line in the audit, durable before it returns. Thread-safe.
 */
public final class ScheduledTable {
  private static final int BATCH = 500;

  private final Pipeline pipeline;
  private final String list;
  private final String select;
  private final String cancel;

  /** Works on the tables in {@code tables}. */
  public ScheduledTable(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    // Walks (due_at, number) until enough match.
    list =
        tables.sql(
            ScheduledFilter.ROW
                + "select s.number, s.due_at, s.id, s.created_at, s.expires_at, left(s.destination,"
                + " 1024) as destination, left(s.key, 2048) as key, left(s.type, 1000) as type,"
                + " left(s.content_type, 1000) as content_type, case when pg_column_size(s.headers"
                + " || '{}'::text[]) < 262144 then s.headers end as headers,"
                + " coalesce(octet_length(s.payload), 0) as size, b.first_lane + (s.hash &"
                + " 2147483647) %% b.lanes as lane, 0 as position, %s as payload"
                + " from {outbox_scheduled} s join {outbox_broker} b using (broker) cross join f"
                + " where "
                + ScheduledFilter.MATCHES
                + " order by s.due_at, s.number limit ?");
    select =
        tables.sql(
            ScheduledFilter.ROW
                + "select count(*) as count, coalesce(max(s.number), 0) as highest from"
                + " {outbox_scheduled} s cross join f where "
                + ScheduledFilter.MATCHES);
    // What a promotion has in work is passed over: it is too late for that.
    cancel =
        tables.sql(
            Pipeline.BEGIN_LONG
                + "set local synchronous_commit = on; "
                + ScheduledFilter.ROW
                + ", picked as (select s.id from {outbox_scheduled} s cross join f where "
                + ScheduledFilter.MATCHES
                + " and s.number <= ? order by s.due_at, s.number limit ? for update of s skip"
                + " locked), gone as (delete from {outbox_scheduled} s using picked p where s.id ="
                + " p.id returning 1), noted as (insert into {outbox_audit} (act, done_by, action,"
                + " selection, affected) select ?, ?, 'cancel', ?, count(*) from gone having"
                + " count(*) > 0) select count(*) from gone; commit");
  }

  /**
   * A message that waits.
   *
   * @param dueAt when it is due
   * @param message the message; without its payload in a list
   * @param size the payload's size in bytes
   */
  public record Waiting(Instant dueAt, OutboxRecord message, int size) {}

  /**
   * What a selection is now, so that what is enqueued later does not get into it.
   *
   * @param count how many match
   * @param highest the highest of their numbers; 0 for none
   */
  public record Selected(long count, long highest) {}

  /** Some that wait, those first that are due first, without their payloads. */
  public List<Waiting> list(ScheduledFilter filter, int limit) throws SQLException {
    return read(list.formatted("null::bytea"), filter, limit);
  }

  /** One that waits, whole. */
  public Optional<Waiting> find(UUID id) throws SQLException {
    ScheduledFilter one = new ScheduledFilter(List.of(id), null, null, null);
    return read(
            list.formatted(
                "case when octet_length(s.payload) <= "
                    + OutboxRows.MOST_BYTES
                    + " then s.payload end"),
            one,
            1)
        .stream()
        .findFirst();
  }

  private List<Waiting> read(String sql, ScheduledFilter filter, int limit) throws SQLException {
    return pipeline.query(
        sql,
        s -> s.setInt(filter.bind(s), limit),
        rows -> {
          List<Waiting> found = new ArrayList<>();
          while (rows.next()) {
            found.add(waiting(rows));
          }
          return found;
        });
  }

  /** Counts what matches. */
  public Selected select(ScheduledFilter filter) throws SQLException {
    return pipeline.query(
        select,
        filter::bind,
        rows -> {
          rows.next();
          return new Selected(rows.getLong("count"), rows.getLong("highest"));
        });
  }

  /**
   * Cancels what was selected and still waits.
   *
   * @param upTo as {@link Selected#highest} has told it
   * @param by who does it, for the audit
   * @return how many were cancelled
   */
  public long cancel(ScheduledFilter filter, long upTo, String by) throws SQLException {
    UUID act = UUID.randomUUID();
    long all = 0;
    long cancelled;
    do {
      cancelled = pipeline.query(cancel, s -> bind(s, filter, upTo, act, by), ScheduledTable::one);
      all += cancelled;
    } while (cancelled == BATCH);
    return all;
  }

  private static void bind(
      PreparedStatement s, ScheduledFilter filter, long upTo, UUID act, @Nullable String by)
      throws SQLException {
    int next = filter.bind(s);
    s.setLong(next, upTo);
    s.setInt(next + 1, BATCH);
    s.setObject(next + 2, act);
    s.setString(next + 3, by);
    s.setString(next + 4, filter.toString());
  }

  private static long one(ResultSet rows) throws SQLException {
    rows.next();
    return rows.getLong(1);
  }

  private static Waiting waiting(ResultSet r) throws SQLException {
    return new Waiting(
        r.getObject("due_at", OffsetDateTime.class).toInstant(),
        OutboxRows.shown(r),
        r.getInt("size"));
  }
}
