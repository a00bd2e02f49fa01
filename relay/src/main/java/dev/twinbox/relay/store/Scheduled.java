package dev.twinbox.relay.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.postgres.Tables;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * Messages that are not due yet. Thread-safe.
 *
 * <p>Walked by (due_at, number) from a {@link DueMark}, so that a million that wait are not looked
 * at, nor the remains of a million that have gone while a transaction keeps them from being
 * vacuumed.
 */
public final class Scheduled {
  private static final String FROM = "(s.due_at, s.number) > (?::timestamptz, ?::bigint)";

  private static final double FAR_SECONDS = Duration.ofDays(365).toSeconds();

  private final Pipeline pipeline;
  private final String promote;
  private final String next;
  private final long gate;
  private final DueMark promoted = new DueMark();
  private final DueMark lookedAt = new DueMark();

  /** Works on the tables in {@code tables}. */
  public Scheduled(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    gate =
        UUID.nameUUIDFromBytes(tables.of("outbox_scheduled").getBytes(UTF_8))
            .getMostSignificantBits();
    // The clock is read in a subquery: a condition of its own it would not bound the index.
    String plan =
        WindowReader.INDEX_ORDER_ONLY
            + Pipeline.local("enable_hashjoin", "off", "enable_mergejoin", "off");
    // One at a time: of two at once the later could draw the lower positions. Positions are drawn
    // after the sort, so they follow the due times. Passed over is what a cancellation has locked;
    // what follows it with its key waits, since the cancellation may roll back. A broker without a
    // row would yield a null lane and so fail the statement: nothing is dropped.
    promote =
        tables.sql(
            Pipeline.BEGIN_LONG
                + "set local synchronous_commit = on; "
                + plan
                + "with gate as materialized (select pg_try_advisory_xact_lock(?) as open), edge as"
                + " materialized (select clock_timestamp() as now from gate where open), picked as"
                + " materialized (select s.id, s.due_at, s.number, s.broker, s.key from"
                + " {outbox_scheduled} s where "
                + FROM
                + " and s.due_at <= (select now from edge) order by s.due_at, s.number limit ? for"
                + " update skip locked), last as materialized (select case when count(*) < ? then"
                + " (select now from edge) else max(due_at) end as due_at, case when count(*) < ?"
                + " then 9223372036854775807 else (array_agg(number order by due_at desc, number"
                + " desc))[1] end as number from picked), passed as materialized (select s.due_at,"
                + " s.number, s.broker, s.key from {outbox_scheduled} s where "
                + FROM
                + " and (s.due_at, s.number) <= ((select due_at from last), (select number from"
                + " last)) and s.id not in (select id from picked)), going as materialized (select"
                + " p.id from picked p where p.key is null or not exists (select 1 from passed x"
                + " where x.broker = p.broker and x.key = p.key and (x.due_at, x.number) <"
                + " (p.due_at, p.number))), due as (delete from {outbox_scheduled} s using going g"
                + " where s.id = g.id returning s.*), moved as (insert into {outbox} (lane, id,"
                + " created_at, expires_at, destination, key, type, content_type, headers, payload)"
                + " select b.first_lane + (d.hash & 2147483647) % b.lanes, d.id, d.created_at,"
                + " d.expires_at, d.destination, d.key, d.type, d.content_type, d.headers,"
                + " d.payload from due d left join {outbox_broker} b using (broker) order by"
                + " d.due_at, d.number returning 1) select (select count(*) from moved) as moved,"
                + " (select count(*) from picked) as picked, (select open from gate) as open,"
                + " coalesce(f.due_at, l.due_at - case when l.number < 9223372036854775807 then"
                + " interval '0' else"
                + DueMark.OVERLAP
                + " end)::text as due_at, coalesce(f.number - 1, l.number) as number from last l"
                + " left join (select due_at, number from passed order by due_at, number limit 1) f"
                + " on true; commit");
    next =
        tables.sql(
            "select (select case when isfinite(s.due_at) then extract(epoch from s.due_at - now)"
                + " when s.due_at < now then -1 else 3153600000 end from {outbox_scheduled} s where"
                + " "
                + FROM
                + " order by s.due_at, s.number limit 1) as seconds, (now - "
                + DueMark.OVERLAP
                + ")::text as due_at from (select clock_timestamp() as now) edge");
  }

  /**
   * Moves what is due into the outbox, in order of due time, in one statement. Does nothing while
   * another session does the same.
   *
   * @param atMost at most so many
   * @return how many were moved, and whether more may be due
   */
  public Promoted promote(int atMost) throws SQLException {
    synchronized (promoted) {
      promoted.begin();
      return pipeline.query(
          promote,
          s -> bindPromote(s, atMost),
          rows -> {
            rows.next();
            if (rows.getBoolean("open")) {
              promoted.reached(rows.getString("due_at"), rows.getLong("number"));
            }
            return new Promoted(rows.getInt("moved"), rows.getInt("picked") >= atMost);
          });
    }
  }

  /**
   * What one promotion did.
   *
   * @param moved so many messages were moved
   * @param more whether more may be due
   */
  public record Promoted(int moved, boolean more) {}

  /**
   * How long until the next message is due, as far as is known now: negative when it is overdue,
   * empty when none waits. Reads one entry of the index, for the relay that promotes.
   */
  public Optional<Duration> untilNextToPromote() throws SQLException {
    return untilNext(promoted);
  }

  /** The same, for a relay that only looks whether another one does its work. */
  public Optional<Duration> untilNext() throws SQLException {
    return untilNext(lookedAt);
  }

  private Optional<Duration> untilNext(DueMark mark) throws SQLException {
    synchronized (mark) {
      mark.begin();
      return pipeline.look(
          next,
          s -> {
            s.setString(1, mark.dueAt());
            s.setLong(2, mark.number());
          },
          rows -> {
            rows.next();
            double seconds = rows.getDouble("seconds");
            boolean none = rows.wasNull();
            if (none || seconds > 0) {
              mark.reached(rows.getString("due_at"), Long.MAX_VALUE);
            }
            return none ? Optional.empty() : Optional.of(inSeconds(seconds));
          });
    }
  }

  /** Due times can be as far away as PostgreSQL's times reach. */
  private static Duration inSeconds(double seconds) {
    double bounded = Math.max(-FAR_SECONDS, Math.min(FAR_SECONDS, seconds));
    return Duration.ofMillis((long) Math.floor(bounded * 1_000));
  }

  String promoteSql() {
    return promote;
  }

  /** Binds a look from where the last one began. */
  void bindPromote(PreparedStatement s, int atMost) throws SQLException {
    synchronized (promoted) {
      s.setLong(1, gate);
      s.setString(2, promoted.dueAt());
      s.setLong(3, promoted.number());
      s.setInt(4, atMost);
      s.setInt(5, atMost);
      s.setInt(6, atMost);
      s.setString(7, promoted.dueAt());
      s.setLong(8, promoted.number());
    }
  }
}
