package dev.twinbox.relay.store;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Messages that wait beside their lane, so that it can go on: for a broken destination, for their
 * next attempt, or behind another message of their key. Only the lane's owner puts messages in and
 * publishes them; an operator can change what is here in transactions that never leave a key
 * unguarded. Thread-safe.
 *
 * <p>Walked by (lane, destination, position), each destination by itself, so that a million
 * messages for one that is down are never looked at for the sake of another.
 */
public final class Parked {
  private static final String MESSAGE =
      "id, created_at, expires_at, destination, key, type, content_type, headers, payload";

  /**
   * Behind a row of their key that has gone, after {@code with ..., keys (lane, key) as (...)}: so
   * many followers are looked at again. Not all, so that a long row of them costs little when the
   * next one fails.
   */
  static final String RELEASE =
      "update {outbox_parked} p set blocked = false from keys k cross join lateral (select"
          + " f.position from {outbox_parked} f where f.lane = k.lane and f.key = k.key and"
          + " f.blocked order by f.lane, f.key, f.position limit 1000) f where p.lane = k.lane and"
          + " p.position = f.position and not exists (select 1 from {outbox_dead_letter} d where"
          + " d.lane = k.lane and d.key = k.key and d.blocks_key and d.position < f.position)";

  private static final int KEYS_AT_ONCE = 1_000;

  /** How PostgreSQL refuses a row that belongs into no partition. */
  private static final String NO_PARTITION = "23514";

  private final Pipeline pipeline;
  private final FencedWrite park;
  private final String any;
  private final String held;
  private final String due;
  private final String confirm;
  private final String makeDays;
  private final String postpone;
  private final String releaseForgotten;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   * @param lease how long a lane stays ours after each write
   */
  public Parked(Pipeline pipeline, Tables tables, Duration lease) {
    this.pipeline = pipeline;
    // The row is copied where it lies. It may be there already: parked before a crash.
    park =
        new FencedWrite(
            pipeline,
            tables,
            lease.toMillis(),
            "insert into {outbox_parked} (lane, position, "
                + MESSAGE
                + ", reason, error, attempts, not_before, blocked) select o.lane, o.position, o.id,"
                + " o.created_at, o.expires_at, o.destination, o.key, o.type, o.content_type,"
                + " o.headers, o.payload, p.reason, p.error, p.attempts, clock_timestamp() +"
                + " p.delay * interval '1 millisecond', o.key is not null and (exists (select 1"
                + " from {outbox_dead_letter} d where d.lane = o.lane and d.key = o.key and"
                + " d.blocks_key and d.position < o.position) or exists (select 1 from"
                + " {outbox_parked} e where e.lane = o.lane and e.key = o.key and (e.blocked or"
                + " e.attempts > 0))) from unnest(?::bigint[], ?::text[], ?::text[], ?::integer[],"
                + " ?::bigint[]) as p (position, reason, error, attempts, delay) cross join lateral"
                + " (select * from {outbox} o where o.lane = ? and o.position = p.position order by"
                + " o.lane, o.position limit 1) o where "
                + FencedWrite.FENCE
                + " on conflict (lane, position) do nothing");
    any =
        tables.sql(
            "select exists (select 1 from {outbox_parked} where lane = ?) or exists (select 1 from"
                + " {outbox_dead_letter} where lane = ? and blocks_key)");
    held =
        tables.sql(
            "select r.position, exists (select 1 from {outbox_parked} p where p.lane = ? and"
                + " p.position = r.position) as here from unnest(?::bigint[], ?::text[]) as r"
                + " (position, key) where exists (select 1 from {outbox_parked} p where p.lane = ?"
                + " and p.position = r.position) or r.key is not null and (exists (select 1 from"
                + " {outbox_parked} p where p.lane = ? and p.key = r.key) or exists (select 1 from"
                + " {outbox_dead_letter} d where d.lane = ? and d.key = r.key and d.blocks_key))");
    // What may be published now: nothing earlier of its key waits for its time, behind a dead
    // letter,
    // or for a destination that is not taken whole. Earlier ones that may be published come first
    // in
    // the same answer, since each destination gives its first rows and they are merged by position.
    due =
        tables.sql(
            Pipeline.BEGIN
                + WindowReader.INDEX_ORDER_ONLY
                + "with recursive d (destination) as ((select p.destination from {outbox_parked} p"
                + " where p.lane = ? and not p.blocked order by p.lane, p.destination limit 1)"
                + " union all select (select p.destination from {outbox_parked} p where p.lane = ?"
                + " and not p.blocked and p.destination > d.destination order by p.lane,"
                + " p.destination limit 1) from d where d.destination is not null), cap as (select"
                + " * from unnest(?::text[], ?::integer[], ?::bigint[]) as c (destination, rows,"
                + " beyond)) select p.*, "
                + OutboxRows.SECONDS_LEFT
                + " from (select "
                + OutboxRows.columns("q")
                + ", q.attempts, q.parked_at, q.size, sum(q.size) over (order by q.position rows"
                + " unbounded preceding) as total from (select r.* from d left join cap using"
                + " (destination) cross join lateral (select w.*, "
                + OutboxRows.size("w")
                + " as size from {outbox_parked} w where w.lane = ? and w.destination ="
                + " d.destination and w.position > coalesce(cap.beyond, 0) and not w.blocked and"
                + " (w.not_before is null or w.not_before <="
                + " clock_timestamp()) and not exists (select 1 from {outbox_parked} e where e.lane"
                + " = w.lane and e.key = w.key and e.position < w.position and (e.blocked or"
                + " e.not_before > clock_timestamp() or e.position <= cap.beyond or e.destination <> w.destination and"
                + " e.destination in (select destination from cap))) and not exists (select 1 from"
                + " {outbox_dead_letter} l where l.lane = w.lane and l.key = w.key and l.blocks_key"
                + " and l.position < w.position) order by w.lane, w.destination, w.position limit"
                + " coalesce(cap.rows, ?)) r where d.destination is not null order by r.position"
                + " limit ?) q) p where p.total - p.size < ? order by p.position; commit");
    confirm =
        tables.sql(
            Pipeline.BEGIN
                + "set local synchronous_commit = off; "
                + WindowReader.INDEX_ORDER_ONLY
                + "with gone as (delete from {outbox_parked} p using unnest(?::bigint[], ?::uuid[])"
                + " as c (position, id) where p.lane = ? and p.position = c.position and p.id ="
                + " c.id returning p.*), kept as ("
                + ArchiveSql.copyParked("gone")
                + "), keys as (select distinct lane, key from gone where key is not null) "
                + RELEASE
                + "; select 1; commit");
    makeDays = tables.sql("select {outbox_archive_make_days}(2)");
    // The followers are set aside, so that what is due is found without walking over them.
    postpone =
        tables.sql(
            Pipeline.BEGIN
                + WindowReader.INDEX_ORDER_ONLY
                + "with changed as (update {outbox_parked} p set attempts = n.attempts, reason ="
                + " n.reason, error = n.error, not_before = clock_timestamp() + n.delay * interval"
                + " '1 millisecond' from unnest(?::bigint[], ?::text[], ?::text[], ?::integer[],"
                + " ?::bigint[]) as n (position, reason, error, attempts, delay) where p.lane = ?"
                + " and p.position = n.position and exists (select 1 from {outbox_lane_state} s"
                + " where s.lane = p.lane and s.claim_id = ?) returning p.lane, p.key, p.position)"
                + " update {outbox_parked} f set blocked = true from changed c where f.lane ="
                + " c.lane and f.key = c.key and f.position > c.position and not f.blocked; select"
                + " 1; commit");
    // From key to key by (lane, key, position), the first row of each.
    releaseForgotten =
        tables.sql(
            Pipeline.BEGIN
                + WindowReader.INDEX_ORDER_ONLY
                + "select set_config('twinbox.swept', '', true); with recursive k (key, blocked, n)"
                + " as ((select p.key, p.blocked, 1 from {outbox_parked} p where p.lane = ? and"
                + " p.key is not null and p.key >= ? order by p.lane, p.key, p.position limit 1)"
                + " union all (select f.key, f.blocked, k.n + 1 from k cross join lateral (select"
                + " p.key, p.blocked from {outbox_parked} p where p.lane = ? and p.key is not null"
                + " and p.key > k.key order by p.lane, p.key, p.position limit 1) f where k.n <"
                + " ?)), keys as (select ?::integer as lane, key from k where blocked), swept as"
                + " (select set_config('twinbox.swept', coalesce(max(key), ''), true) from k where"
                + " n = ?), released as ("
                + RELEASE
                + " returning 1) select (select count(*) from released), (select count(*) from"
                + " swept); select current_setting('twinbox.swept'); commit");
  }

  /**
   * Why a message is parked, and for how long at least.
   *
   * @param position the message's position
   * @param reason a short code, such as {@code missing-destination}
   * @param error what the broker said, or null
   * @param attempts how often the message itself has failed
   * @param delay how long it is left alone; null for as soon as its destination and key allow
   */
  public record Wait(
      long position,
      String reason,
      @Nullable String error,
      int attempts,
      @Nullable Duration delay) {}

  /**
   * What may be tried of a destination.
   *
   * @param rows how many messages at most: 0 for none, 1 for a probe
   * @param beyond only those with a higher position; 0 for all
   */
  public record Cap(int rows, long beyond) {
    /** From the first message on. */
    public static Cap of(int rows) {
      return new Cap(rows, 0);
    }
  }

  /**
   * A parked message that may be published now.
   *
   * @param record the message
   * @param attempts how often it has failed
   * @param parkedAt since when it has been parked
   * @param timeLeft how long until it expires; null for never
   * @param flaw why it cannot be read and so never be published, or null
   */
  public record Due(
      OutboxRecord record,
      int attempts,
      Instant parkedAt,
      @Nullable Duration timeLeft,
      Outcome.@Nullable Rejected flaw) {}

  /** What holds a row of a window back. */
  public enum Hold {
    /** It is parked already. */
    PARKED,
    /** Its key has parked messages, or a dead letter that blocks it. */
    KEY
  }

  /**
   * Copies rows of the lane's open window here, in one transaction with the lane's cursor.
   *
   * @return the lane's new state, or empty when the lane is lost and nothing was parked
   */
  public Optional<LaneState> park(List<Wait> waits, LaneState known, long cursor, List<Long> ahead)
      throws SQLException {
    return park.run(
        known,
        cursor,
        ahead,
        (s, first) -> {
          int next = bind(s, first, waits);
          s.setInt(next, known.lane());
          return FencedWrite.bindFence(s, next + 1, known);
        });
  }

  /** Whether anything of the lane is parked, or any of its keys blocked. */
  public boolean any(int lane) throws SQLException {
    return pipeline.query(
        any,
        s -> {
          s.setInt(1, lane);
          s.setInt(2, lane);
        },
        rows -> rows.next() && rows.getBoolean(1));
  }

  /** Which of these rows of one lane must not be published, and why; by position. */
  public Map<Long, Hold> held(int lane, List<OutboxRecord> records) throws SQLException {
    return pipeline.query(
        held,
        s -> {
          s.setInt(1, lane);
          s.setArray(2, array(s, "bigint", records.stream().map(OutboxRecord::position).toArray()));
          s.setArray(3, array(s, "text", records.stream().map(OutboxRecord::key).toArray()));
          s.setInt(4, lane);
          s.setInt(5, lane);
          s.setInt(6, lane);
        },
        rows -> {
          Map<Long, Hold> found = new HashMap<>();
          while (rows.next()) {
            found.put(rows.getLong("position"), rows.getBoolean("here") ? Hold.PARKED : Hold.KEY);
          }
          return found;
        });
  }

  /**
   * What may be published now, in order of position.
   *
   * @param caps of a destination that is not well, what may be tried
   * @param rows at most so many rows
   * @param bytes ends with the row that reaches so many bytes
   */
  public List<Due> due(int lane, Map<String, Cap> caps, int rows, long bytes) throws SQLException {
    List<String> destinations = List.copyOf(caps.keySet());
    return pipeline.query(
        due,
        s -> {
          s.setInt(1, lane);
          s.setInt(2, lane);
          s.setArray(3, array(s, "text", destinations.toArray()));
          List<Cap> values = destinations.stream().map(caps::get).toList();
          s.setArray(4, array(s, "integer", values.stream().map(Cap::rows).toArray()));
          s.setArray(5, array(s, "bigint", values.stream().map(Cap::beyond).toArray()));
          s.setInt(6, lane);
          s.setInt(7, rows);
          s.setInt(8, rows);
          s.setLong(9, bytes);
        },
        result -> {
          List<Due> found = new ArrayList<>();
          while (result.next()) {
            OutboxRows.Read read = OutboxRows.read(result);
            found.add(
                new Due(
                    read.record(),
                    result.getInt("attempts"),
                    result.getTimestamp("parked_at").toInstant(),
                    OutboxRows.timeLeft(result),
                    read.flaw()));
          }
          return found;
        });
  }

  /**
   * Takes out what was published, and archives it if there is an archive. Also right when the lane
   * is lost: it was published.
   */
  public void confirm(int lane, List<OutboxRecord> published) throws SQLException {
    try {
      takeOut(lane, published);
    } catch (SQLException e) {
      if (!NO_PARTITION.equals(e.getSQLState())) {
        throw e;
      }
      // The archive's day has not been made in time: what was published would go out once more.
      pipeline.query(makeDays, s -> {}, rows -> rows.next());
      takeOut(lane, published);
    }
  }

  private void takeOut(int lane, List<OutboxRecord> published) throws SQLException {
    pipeline.query(
        confirm,
        s -> {
          s.setArray(
              1, array(s, "bigint", published.stream().map(OutboxRecord::position).toArray()));
          s.setArray(2, array(s, "uuid", published.stream().map(OutboxRecord::id).toArray()));
          s.setInt(3, lane);
        },
        rows -> rows.next());
  }

  /**
   * Releases followers of messages that are gone, of so many keys from the given one on.
   *
   * @return the last key that was looked at, to go on from; empty when all were
   */
  public String releaseForgotten(int lane, String fromKey) throws SQLException {
    return pipeline.query(
        releaseForgotten,
        s -> {
          s.setInt(1, lane);
          s.setString(2, fromKey);
          s.setInt(3, lane);
          s.setInt(4, KEYS_AT_ONCE);
          s.setInt(5, lane);
          s.setInt(6, KEYS_AT_ONCE);
        },
        rows -> {
          rows.next();
          return rows.getString(1);
        });
  }

  /** Leaves messages alone for a while, with their new attempts, if the lane is still ours. */
  public void postpone(List<Wait> waits, LaneState known) throws SQLException {
    pipeline.query(
        postpone,
        s -> {
          int next = bind(s, 1, waits);
          s.setInt(next, known.lane());
          s.setObject(next + 1, known.claimId());
        },
        rows -> rows.next());
  }

  private static int bind(PreparedStatement s, int first, List<Wait> waits) throws SQLException {
    s.setArray(first, array(s, "bigint", waits.stream().map(Wait::position).toArray()));
    s.setArray(first + 1, array(s, "text", waits.stream().map(Wait::reason).toArray()));
    @Nullable Object[] errors = new @Nullable Object[waits.size()];
    for (int i = 0; i < errors.length; i++) {
      errors[i] = DeadLetters.storable(s, waits.get(i).error());
    }
    s.setArray(first + 2, array(s, "text", errors));
    s.setArray(first + 3, array(s, "integer", waits.stream().map(Wait::attempts).toArray()));
    s.setArray(first + 4, array(s, "bigint", waits.stream().map(Parked::millis).toArray()));
    return first + 5;
  }

  private static @Nullable Long millis(Wait wait) {
    Duration delay = wait.delay();
    return delay == null ? null : delay.toMillis();
  }

  private static java.sql.Array array(PreparedStatement s, String type, @Nullable Object[] values)
      throws SQLException {
    return s.getConnection().createArrayOf(type, values);
  }
}
