package dev.twinbox.relay.store;

import dev.twinbox.postgres.SqlParts;
import java.util.stream.Stream;

/** What {@link LaneLog} says to the database: each change of a lane's state as one text. */
final class LaneLogSql {
  /**
   * Reads the highest position handed out, into a setting of this transaction. It must be a
   * statement of its own before the one that writes: there the transaction has no xid yet.
   */
  static final String READ_POSITION =
      """
      select set_config('twinbox.position',
        (select last_value - (not is_called)::int from {outbox_position})::text, true);\s""";

  private static final String[] DURABLE = {
    "client_min_messages", "warning", "synchronous_commit", "on"
  };

  private static final String DURABLE_IN_INDEX_ORDER =
      Pipeline.settings(
          Stream.of(DURABLE, WindowReader.SETTINGS).flatMap(Stream::of).toArray(String[]::new));

  private static final SqlParts PARTS =
      SqlParts.none()
          .with("begin", Pipeline.BEGIN)
          .with("begin_long", Pipeline.BEGIN_LONG)
          .with("relaxed", Pipeline.local("synchronous_commit", "off"))
          .with("durable", Pipeline.local(DURABLE))
          .with("durable_in_index_order", DURABLE_IN_INDEX_ORDER)
          .with("read_position", READ_POSITION)
          .with("position", "current_setting('twinbox.position')::bigint")
          // A sequence that went back would let new messages hide below the floor.
          .with("not_behind", "${position} >= s.next_floor")
          .with("lease", "clock_timestamp() + :lease * interval '1 millisecond'")
          .with(
              "state",
              """
              lane, seq, owner, claim_id, epoch, window_number, done::text, target::text, floor,
                next_floor, ceiling, cursor_position, ahead""")
          .with(
              "insert",
              """
              insert into {outbox_lane_log} (lane, seq, action, owner, claim_id, epoch, lease_until,
                window_number, done, target, floor, next_floor, ceiling, cursor_position, ahead)""")
          // All must hold for whoever writes: the state is the one it knows, the claim is its own,
          // and the database is still the one that the lane belongs to.
          .with("here", ClusterGuard.HERE)
          .with(
              "our_claim",
              """
              s.epoch = :epoch and s.claim_id = :claim_id and s.window_number = :window
                and ${here}""")
          .with("ours", "s.lane = :lane and s.seq = :seq and ${our_claim}")
          .with("anything", WindowSql.ANYTHING)
          // What a window is opened with. The subquery reads the sequence after this statement's
          // snapshot was taken, as a ceiling must.
          .with(
              "new_window",
              """
              s.owner, s.claim_id, s.epoch, ${lease}, s.window_number + 1, s.done,
                pg_current_snapshot(), s.floor, s.next_floor,
                (select last_value from {outbox_position}), 0, '{}'""")
          .with(
              "may_open",
              """
              s.target is null
                and (select last_value from {outbox_position}) >= s.next_floor""")
          // What the window covers is on disk already, and no standby has to have it: there is
          // nothing to wait for. A crash may then erase the window, which is opened once more.
          .with(
              "wait_for_nothing_that_is_durable",
              """
              select set_config('synchronous_commit', 'off', true)
                where current_setting('synchronous_standby_names') = ''
                  and pg_current_wal_flush_lsn()
                    >= nullif(current_setting('twinbox.covered', true), '')::pg_lsn""");

  static final String READ = selected("where lane = :lane");

  static final String READ_ALL = selected("where broker = any (:brokers) order by lane");

  /** A lane is not begun before lanes that may hold earlier messages of its keys are closed. */
  static final String CLAIM =
      PARTS.in(
          """
          ${begin}${durable}${read_position}${insert}
          select s.lane, s.seq + 1, 'claim', :owner, :claim_id, s.epoch + 1, ${lease},
            s.window_number, s.done, s.target, s.floor,
            case when s.target is null then ${position} else s.next_floor end,
            s.ceiling, s.cursor_position, s.ahead
          from {outbox_lane_log} s
          where s.lane = :lane and s.seq = :seq
            and (s.lease_until is null or s.lease_until < clock_timestamp() or s.owner = :owner)
            and ${here} and ${not_behind}
            and pg_snapshot_xmax(coalesce(s.target, s.done))
              <= pg_snapshot_xmax(pg_current_snapshot())
            and exists (select 1 from {outbox_lane} l
              where l.lane = s.lane and l.closed_at is null
                and not exists (select 1 from {outbox_lane} f
                  where f.broker = l.broker and f.generation < l.generation
                    and f.closed_at is null))
          on conflict do nothing returning ${state}; commit""");

  static final String RENEW =
      PARTS.in(
          """
          ${begin}${relaxed}${insert}
          select s.lane, s.seq + 1, 'renew', s.owner, s.claim_id, s.epoch, ${lease},
            s.window_number, s.done, s.target, s.floor, s.next_floor, s.ceiling,
            s.cursor_position, s.ahead
          from {outbox_lane_log} s where ${ours}
          on conflict do nothing returning ${state}; commit""");

  static final String REFRESH =
      PARTS.in(
          """
          ${begin}${relaxed}${read_position}${insert}
          select s.lane, s.seq + 1, 'refresh', s.owner, s.claim_id, s.epoch, ${lease},
            s.window_number, s.done, s.target, s.floor, ${position}, s.ceiling,
            s.cursor_position, s.ahead
          from {outbox_lane_log} s where ${ours} and s.target is null and ${not_behind}
          on conflict do nothing returning ${state}; commit""");

  static final String OPEN =
      PARTS.in(
          """
          ${begin}${durable}${insert}
          select s.lane, s.seq + 1, 'open', ${new_window}
          from {outbox_lane_log} s where ${ours} and ${may_open}
          on conflict do nothing returning ${state}; commit""");

  static final String PROGRESS =
      PARTS.in(
          """
          ${begin}${relaxed}${insert}
          select s.lane, s.seq + 1, 'progress', s.owner, s.claim_id, s.epoch, ${lease},
            s.window_number, s.done, s.target, s.floor, s.next_floor, s.ceiling, :cursor, :ahead
          from {outbox_lane_log} s where ${ours} and s.target is not null
          on conflict do nothing returning ${state}; commit""");

  static final String SETTLE =
      PARTS.in(
          """
          ${begin}${relaxed}${read_position}${insert}
          select s.lane, s.seq + 1, 'settle', s.owner, s.claim_id, s.epoch, ${lease},
            s.window_number, s.target, null, s.next_floor, ${position}, 0, 0, '{}'
          from {outbox_lane_log} s where ${ours} and s.target is not null and ${not_behind}
          on conflict do nothing returning ${state}; commit""");

  static final String RELEASE =
      PARTS.in(
          """
          ${begin}${durable}${insert}
          select s.lane, s.seq + 1, 'release', null, null, s.epoch, null, s.window_number, s.done,
            s.target, s.floor, s.next_floor, s.ceiling, :cursor, :ahead
          from {outbox_lane_log} s where ${ours}
          on conflict do nothing returning ${state}; commit""");

  static final String TRIM =
      PARTS.in(
          """
          ${begin_long}with gone as (
            delete from {outbox_lane_log} g using {outbox_lane_state} s
            where g.lane = s.lane and g.seq < s.seq - :keep
              and g.written_at < clock_timestamp() - interval '1 minute'
            returning 1)
          select count(*) from gone; commit""");

  /** One step that may come with changes of other tables: the lane as it was, and a new cursor. */
  static final String STEP =
      PARTS.in(
          """
          ${insert}
          select s.lane, s.seq + 1, 'step', s.owner, s.claim_id, s.epoch, ${lease},
            s.window_number, s.done, s.target, s.floor, s.next_floor, s.ceiling, :cursor, :ahead
          from {outbox_lane_log} s where ${ours}
          on conflict do nothing""");

  /** The state that the step wrote; no row when it wrote none. */
  static final String READ_STEP =
      PARTS.in(
          """
          select ${state} from {outbox_lane_log}
          where lane = :lane and seq = :step and claim_id = :claim_id""");

  /**
   * Of the window that the statement before has opened; no rows when it has not. How far it looks
   * is what {@link WindowReader#firstUpTo} says.
   */
  static final String FIRST_PAGE =
      "with w as materialized (select floor, "
          + spanOf("")
          + """
           from {outbox_lane_log} where lane = :lane and seq = :opened)
          """
          + WindowSql.page(
              SqlParts.none()
                  .with("lane", ":lane")
                  .with("after", "(select floor from w)")
                  .with("up_to", "(select up_to from w)")
                  .with("xmax", "(select xmax from w)")
                  .with("target", "(select target from w)")
                  .with("late", "(select late from w)")
                  .with("cursor", "0"));

  /** How many answers follow the first page's. */
  static final int AFTER_FIRST_PAGE = 1;

  /**
   * Three answers come last: the state, the first page, and whether the commit waits. Where the log
   * ended when the window's snapshot had been taken is noted in the statement that takes it, so
   * after it: whatever the snapshot shows as committed had written its commit by then.
   */
  static final String OPEN_IF_ANY = openIfAny(":seq");

  /** As {@link #OPEN_IF_ANY}, after the lane's former window was settled by one more row. */
  static final String SETTLE_AND_OPEN = SETTLE + "; " + openIfAny(":settled");

  /**
   * Opens the windows of those lanes for which anything waits, and which are not far back. The
   * limit makes each lane's row a look-up by the primary key, whatever the planner thinks of the
   * number of lanes. The log's end is noted once for all rows: after the first row's insert it ends
   * with that, which nobody has to wait for.
   */
  static final String OPEN_ANY =
      PARTS.in(
          """
          ${insert}
          select s.lane, s.seq + 1,
            case when (select set_config('twinbox.covered', pg_current_wal_insert_lsn()::text, true))
              <> '' then 'open' end,
            ${new_window}
          from unnest(:lanes::int[], :seqs::bigint[], :epochs::bigint[], :claim_ids::uuid[],
              :windows::bigint[]) k (lane, seq, epoch, claim_id, window_number)
            cross join lateral (select * from {outbox_lane_log} l
              where l.lane = k.lane and l.seq = k.seq and l.epoch = k.epoch
                and l.claim_id = k.claim_id and l.window_number = k.window_number
              limit 1) s
          where ${here} and ${may_open}
            and (select last_value from {outbox_position}) - s.next_floor <= :beyond
            and ${anything}
          on conflict do nothing returning ${state}""");

  /** As {@link #FIRST_PAGE}, of several lanes: one lane's rows after the other's. */
  static final String FIRST_PAGES =
      "with w as materialized (select l.lane, l.floor, "
          + spanOf("l.")
          + """
           from unnest(:lanes::int[], :opened::bigint[], :claim_ids::uuid[]) k (lane, seq, claim_id)
            cross join lateral (select * from {outbox_lane_log} l
              where l.lane = k.lane and l.seq = k.seq and l.claim_id = k.claim_id limit 1) l)
          select f.* from w cross join lateral (
          """
          + WindowSql.page(
              SqlParts.none()
                  .with("lane", "w.lane")
                  .with("after", "w.floor")
                  .with("up_to", "w.up_to")
                  .with("xmax", "w.xmax")
                  .with("target", "w.target")
                  .with("late", "w.late")
                  .with("cursor", "0"))
          + ") f";

  /** The position comes first; last, as above, the states, the first pages, and the waiting. */
  static final String OPEN_ANY_WITH_PAGES =
      PARTS
          .with("open_any", OPEN_ANY)
          .with("first_pages", FIRST_PAGES)
          .in(
              """
              ${begin}select ${durable_in_index_order}, last_value from {outbox_position};
              ${open_any};
              ${first_pages};
              ${wait_for_nothing_that_is_durable}; commit""");

  private LaneLogSql() {}

  private static String selected(String where) {
    return PARTS
        .with("where", where)
        .in(
            """
            select ${state}, lease_until is null or lease_until < clock_timestamp() as free
            from {outbox_lane_state} ${where}""");
  }

  /**
   * @param seq the parameter for the number of the state that the window is opened upon
   */
  private static String openIfAny(String seq) {
    return PARTS
        .with("known", seq)
        .with("first_page", FIRST_PAGE)
        .in(
            """
            ${begin}select ${durable_in_index_order};
            ${insert}
            select s.lane, s.seq + 1,
              case when set_config('twinbox.covered', pg_current_wal_insert_lsn()::text, true)
                <> '' then 'open' end,
              ${new_window}
            from {outbox_lane_log} s
            where s.lane = :lane and s.seq = ${known} and ${our_claim} and ${may_open} and ${anything}
            on conflict do nothing returning ${state};
            ${first_page};
            ${wait_for_nothing_that_is_durable}; commit""");
  }

  /** How far a window's first page looks, and what it needs to know of the window. */
  private static String spanOf(String log) {
    return SqlParts.none()
        .with("log", log)
        .with("span", Long.toString(WindowReader.FIRST_SPAN))
        .in(
            """
            case when exists (select pg_snapshot_xip(${log}done))
                then least(${log}ceiling, ${log}floor + ${span}) else ${log}ceiling end as up_to,
              pg_snapshot_xmax(${log}done) as xmax, ${log}target,
              array(select pg_snapshot_xip(${log}done)) as late""");
  }
}
