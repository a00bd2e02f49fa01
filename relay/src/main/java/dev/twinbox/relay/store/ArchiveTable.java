package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.DeadLetterTable.Actor;
import dev.twinbox.relay.store.Paced.Batch;
import dev.twinbox.relay.store.Paced.Range;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Published messages that are kept: those in the archive, and those whose leaf has not been emptied
 * yet. A message is in one of the two, also while its leaf is being emptied. Thread-safe.
 *
 * <p>Both are walked by position, which is the order in which messages were enqueued; which
 * positions a range of time takes, the archive's BRIN index tells.
 */
public final class ArchiveTable {
  private static final String ROW =
      "%1$s.lane, %1$s.position, %1$s.id, %1$s.created_at, %1$s.expires_at, %1$s.destination,"
          + " %1$s.key, %1$s.type, %1$s.content_type, %1$s.headers, %1$s.payload";

  /** One row of parameters, so that each is bound once. */
  private static final String FILTER =
      "f as materialized (select ?::timestamptz as since, ?::timestamptz as until, ?::text as"
          + " destination, ?::text as key, ?::uuid[] as ids) ";

  private static final String MATCHES =
      "(f.since is null or m.created_at >= f.since) and (f.until is null or m.created_at < f.until)"
          + " and (f.destination is null or m.destination = f.destination) and (f.key is null or"
          + " m.key = f.key) and (f.ids is null or m.id = any (f.ids))";

  /** A message that was redriven, or moved, can have been archived twice; the last copy counts. */
  private static final String LAST_COPY =
      "not exists (select 1 from {outbox_archive} n where n.id = m.id and (n.archived_at,"
          + " n.position) > (m.archived_at, m.position))";

  /** Of rows of the outbox: what the archive has not got yet. See {@link ArchiveSql}. */
  private static final String PUBLISHED =
      "pg_visible_in_snapshot(m.xid, s.done) and not exists (select 1 from {outbox_dead_letter} d"
          + " where d.id = m.id and d.position = m.position) and not exists (select 1 from"
          + " {outbox_lane} l join {outbox_parked} p on p.lane = l.lane where p.position ="
          + " m.position and (l.lane = m.lane or l.closed_at is null)) and not exists (select 1"
          + " from {outbox_replay} r where r.xid = m.xid) and not exists (select 1 from"
          + " {outbox_archive} a where a.id = m.id)";

  private static final int SELECT_TIMEOUT_MILLIS =
      Math.toIntExact(Duration.ofMinutes(30).toMillis());

  private final Pipeline pipeline;
  private final String isKept;
  private final String select;
  private final String replay;

  /** Works on the tables in {@code tables}. */
  public ArchiveTable(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    isKept = tables.sql("select " + ArchiveSql.IS_KEPT);
    select =
        tables.sql(
            Pipeline.BEGIN_UNLIMITED
                + "with "
                + FILTER
                + "select count(*) as count, coalesce(min(m.position), 0) as lowest,"
                + " coalesce(max(m.position), 0) as highest, count(*) filter (where m.id <"
                + " {inbox_bound}(clock_timestamp() - r.horizon)) as old, extract(epoch from"
                + " min(r.horizon)) as horizon from {inbox_retention} r left join (select"
                + " m.position, m.id from {outbox_archive} m cross join f where "
                + MATCHES
                + " and "
                + LAST_COPY
                + " union all select m.position, m.id from {outbox} m join {outbox_lane_state} s on"
                + " s.lane = m.lane cross join f where "
                + MATCHES
                + " and "
                + PUBLISHED
                + ") m on true group by r.only_row; commit");
    String range = " and m.position > w.beyond and m.position <= w.up_to ";
    replay =
        tables.sql(
            Pipeline.BEGIN_LONG
                + "set local synchronous_commit = on; set local enable_seqscan = off; set local jit"
                + " = off; with "
                + FILTER
                + ", w as materialized (select ?::bigint as beyond, ?::bigint as up_to, ?::integer"
                + " as many, ?::bigint as ttl), picked as materialized (select "
                + ROW.formatted("k")
                + " from ((select "
                + ROW.formatted("m")
                + " from f cross join w cross join {outbox_archive} m where "
                + MATCHES
                + range
                + "and "
                + LAST_COPY
                + " order by m.position limit (select many from w)) union all select "
                + ROW.formatted("z")
                + " from f cross join w cross join {outbox_lane_state} s cross join lateral (select"
                + " "
                + ROW.formatted("m")
                + " from {outbox} m where m.lane = s.lane and "
                + MATCHES
                + range
                + "and "
                + PUBLISHED
                + " order by m.lane, m.position limit (select many from w)) z) k order by"
                + " k.position limit (select many from w)), sent as (insert into {outbox} (lane,"
                + " id, created_at, expires_at, destination, key, type, content_type, headers,"
                + " payload) select "
                + LaneSql.laneNow("p")
                + ", p.id, p.created_at, coalesce(clock_timestamp() + w.ttl * interval '1"
                + " millisecond', case when p.expires_at > clock_timestamp() then p.expires_at"
                + " end), p.destination, p.key, p.type, p.content_type, p.headers, p.payload from"
                + " picked p cross join w order by p.position), marked as (insert into"
                + " {outbox_replay} (replayed_at) select clock_timestamp() where exists (select 1"
                + " from picked)), noted as (insert into {outbox_audit} (act, done_by, action,"
                + " selection, affected) select ?, ?, 'replay', ?, count(*) from picked having"
                + " count(*) > 0) select count(*), coalesce(max(position), 0) from picked; commit");
  }

  /**
   * What is to be replayed.
   *
   * @param since enqueued then or later; null for any
   * @param until enqueued before then; null for any
   * @param destination to this destination; null for any
   * @param key with this key; null for any
   * @param ids with these ids; null for any
   */
  public record Filter(
      @Nullable Instant since,
      @Nullable Instant until,
      @Nullable String destination,
      @Nullable String key,
      java.util.@Nullable List<java.util.UUID> ids) {

    /** For the audit. */
    @Override
    public String toString() {
      java.util.StringJoiner text = new java.util.StringJoiner(", ");
      if (since != null) {
        text.add("from " + since);
      }
      if (until != null) {
        text.add("to " + until);
      }
      if (destination != null) {
        text.add("destination " + destination);
      }
      if (key != null) {
        text.add("key " + key);
      }
      if (ids != null) {
        text.add("ids " + ids);
      }
      return text.length() == 0 ? "all" : text.toString();
    }
  }

  /**
   * What a selection is now.
   *
   * @param count how many messages match
   * @param lowest the first of their positions; 0 for none
   * @param highest the last of their positions; 0 for none
   * @param beyondHorizon how many of them are so old that consumers have dropped, or soon drop,
   *     their dedup record
   * @param horizon for how long consumers keep dedup records
   */
  public record Selected(
      long count, long lowest, long highest, long beyondHorizon, Duration horizon) {}

  /** Whether there is an archive; without one only what was published last can be replayed. */
  public boolean isKept() throws SQLException {
    return pipeline.query(isKept, s -> {}, rows -> rows.next() && rows.getBoolean(1));
  }

  /** Counts what matches; reads all of it but the payloads. */
  public Selected select(Filter filter) throws SQLException {
    return pipeline.query(
        select,
        s -> bind(s, filter),
        rows -> {
          rows.next();
          long highest = rows.getLong("highest");
          return new Selected(
              highest > 0 ? rows.getLong("count") : 0,
              rows.getLong("lowest"),
              highest,
              rows.getLong("old"),
              Duration.ofSeconds(rows.getLong("horizon")));
        },
        SELECT_TIMEOUT_MILLIS);
  }

  private static int bind(PreparedStatement s, Filter filter) throws SQLException {
    s.setTimestamp(1, timestamp(filter.since()));
    s.setTimestamp(2, timestamp(filter.until()));
    s.setString(3, filter.destination());
    s.setString(4, filter.key());
    var ids = filter.ids();
    s.setArray(5, ids == null ? null : s.getConnection().createArrayOf("uuid", ids.toArray()));
    return 6;
  }

  private static @Nullable Timestamp timestamp(@Nullable Instant instant) {
    return instant == null ? null : Timestamp.from(instant);
  }

  /**
   * Enqueues some again, with their ids, in their old order. An expiry that is over is left out.
   *
   * @param timeToLive when they expire anew, from now; or null
   */
  public Batch replay(Filter filter, Range range, Actor actor, @Nullable Duration timeToLive)
      throws SQLException {
    return pipeline.query(
        replay,
        s -> {
          int next = bind(s, filter);
          s.setLong(next, range.beyond());
          s.setLong(next + 1, range.upTo());
          s.setInt(next + 2, range.limit());
          s.setObject(
              next + 3, timeToLive == null ? null : timeToLive.toMillis(), java.sql.Types.BIGINT);
          s.setObject(next + 4, actor.act());
          s.setString(next + 5, actor.by());
          s.setString(next + 6, filter.toString());
        },
        rows -> {
          rows.next();
          return new Batch(rows.getLong(1), rows.getLong(2));
        });
  }
}
