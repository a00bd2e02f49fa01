package dev.twinbox.relay.store;

import java.util.stream.Stream;

/** What {@link LaneLog} says to the database: each change of a lane's state as one text. */
final class LaneLogSql {
  private static final String COLUMNS =
      "lane, seq, action, owner, claim_id, epoch, lease_until, window_number, done, target, floor,"
          + " next_floor, ceiling, cursor_position, ahead";
  private static final String STATE =
      "lane, seq, owner, claim_id, epoch, window_number, done::text, target::text, floor,"
          + " next_floor, ceiling, cursor_position, ahead";
  private static final String RETURNING = " returning " + STATE + "; commit";
  private static final String RELAXED = Pipeline.local("synchronous_commit", "off");
  private static final String[] DURABLE_SETTINGS = {
    "client_min_messages", "warning", "synchronous_commit", "on"
  };

  private static final String DURABLE = Pipeline.local(DURABLE_SETTINGS);

  private static final String LEASE = "clock_timestamp() + ? * interval '1 millisecond'";

  /**
   * All must hold for whoever writes: the state is the one it knows, the claim is its own, and the
   * database is still the one that the lane belongs to.
   */
  private static final String OURS =
      " from {outbox_lane_log} s where s.lane = ? and s.seq = ? and s.epoch = ? and s.claim_id = ?"
          + " and s.window_number = ? and "
          + ClusterGuard.HERE;

  /**
   * Reads the highest position handed out, into a setting of this transaction. It must be a
   * statement of its own before the one that writes: there the transaction has no xid yet.
   */
  static final String READ_POSITION =
      "select set_config('twinbox.position',"
          + " (select last_value - (not is_called)::int from {outbox_position})::text, true); ";

  private static final String POSITION = "current_setting('twinbox.position')::bigint";

  /** A sequence that went back would let new messages hide below the floor. */
  private static final String NOT_BEHIND = POSITION + " >= s.next_floor";

  /** A lane is not begun before lanes that may hold earlier messages of its keys are closed. */
  private static final String IN_TURN =
      "exists (select 1 from {outbox_lane} l where l.lane = s.lane and l.closed_at is null and not"
          + " exists (select 1 from {outbox_lane} f where f.broker = l.broker and f.generation <"
          + " l.generation and f.closed_at is null))";

  static final String SETTLE =
      Pipeline.BEGIN
          + RELAXED
          + READ_POSITION
          + insert(
              "s.lane, s.seq + 1, 'settle', s.owner, s.claim_id, s.epoch, "
                  + LEASE
                  + ", s.window_number, s.target, null, s.next_floor, "
                  + POSITION
                  + ", 0, 0, '{}'",
              OURS + " and s.target is not null and " + NOT_BEHIND);

  /**
   * Of the window that the statement before has opened; no rows when it has not. How far it looks
   * is what {@link WindowReader#firstUpTo} says.
   */
  static final String FIRST_PAGE =
      "with w as materialized (select floor, case when exists (select"
          + " pg_snapshot_xip(done)) then least(ceiling, floor + "
          + WindowReader.FIRST_SPAN
          + ") else ceiling end as up_to, pg_snapshot_xmax(done) as xmax, target, array(select"
          + " pg_snapshot_xip(done)) as late from {outbox_lane_log} where lane = ? and seq = ?) "
          + WindowReader.page(
              "(select floor from w)",
              "(select up_to from w)",
              "(select xmax from w)",
              "(select target from w)",
              "(select late from w)",
              "0");

  /** One step that may come with changes of other tables: the lane as it was, and a new cursor. */
  static final String STEP =
      insertOnly(
              "s.lane, s.seq + 1, 'step', s.owner, s.claim_id, s.epoch, "
                  + LEASE
                  + ", s.window_number, s.done, s.target, s.floor, s.next_floor, s.ceiling, ?, ?",
              OURS)
          + "; ";

  /** The state that the step wrote, by lane, seq and claim; no row when it wrote none. */
  static final String READ_STEP =
      "select " + STATE + " from {outbox_lane_log} where lane = ? and seq = ? and claim_id = ?";

  private static final String SELECT =
      "select "
          + STATE
          + ", lease_until is null or lease_until < clock_timestamp() as free from"
          + " {outbox_lane_state} ";

  static final String READ = SELECT + "where lane = ?";

  static final String READ_ALL = SELECT + "where broker = any (?) order by lane";

  static final String CLAIM =
      Pipeline.BEGIN
          + DURABLE
          + READ_POSITION
          + insert(
              "s.lane, s.seq + 1, 'claim', ?, ?, s.epoch + 1, "
                  + LEASE
                  + ", s.window_number, s.done, s.target, s.floor, case when s.target is null"
                  + " then "
                  + POSITION
                  + " else s.next_floor end, s.ceiling, s.cursor_position, s.ahead",
              " from {outbox_lane_log} s where s.lane = ? and s.seq = ? and (s.lease_until is"
                  + " null or s.lease_until < clock_timestamp() or s.owner = ?) and "
                  + ClusterGuard.HERE
                  + " and "
                  + NOT_BEHIND
                  + " and pg_snapshot_xmax(coalesce(s.target, s.done)) <="
                  + " pg_snapshot_xmax(pg_current_snapshot()) and "
                  + IN_TURN);

  static final String RENEW =
      Pipeline.BEGIN
          + RELAXED
          + insert(
              "s.lane, s.seq + 1, 'renew', s.owner, s.claim_id, s.epoch, "
                  + LEASE
                  + ", s.window_number, s.done, s.target, s.floor, s.next_floor, s.ceiling,"
                  + " s.cursor_position, s.ahead",
              OURS);

  static final String REFRESH =
      Pipeline.BEGIN
          + RELAXED
          + READ_POSITION
          + insert(
              "s.lane, s.seq + 1, 'refresh', s.owner, s.claim_id, s.epoch, "
                  + LEASE
                  + ", s.window_number, s.done, s.target, s.floor, "
                  + POSITION
                  + ", s.ceiling, s.cursor_position, s.ahead",
              OURS + " and s.target is null and " + NOT_BEHIND);

  static final String OPEN = Pipeline.BEGIN + DURABLE + open("'open'", OURS, "") + RETURNING;

  /**
   * Where the log ended when the window's snapshot had been taken: noted in the statement that
   * takes it, so after it. Whatever the snapshot shows as committed had written its commit by then.
   */
  private static final String NOTING_WHAT_IS_COVERED =
      "case when set_config('twinbox.covered', pg_current_wal_insert_lsn()::text, true) <> '' then"
          + " 'open' end";

  /**
   * What the window covers is on disk already, and no standby has to have it: there is nothing to
   * wait for. A crash may then erase the window itself, which is opened once more.
   */
  private static final String WAIT_FOR_NOTHING_THAT_IS_DURABLE =
      "select set_config('synchronous_commit', 'off', true) where"
          + " current_setting('synchronous_standby_names') = '' and pg_current_wal_flush_lsn() >="
          + " nullif(current_setting('twinbox.covered', true), '')::pg_lsn; ";

  /** How many answers follow the first page's. */
  static final int AFTER_FIRST_PAGE = 1;

  /** Three answers come last: the state, the first page, and whether the commit waits. */
  static final String OPEN_IF_ANY =
      Pipeline.BEGIN
          + Pipeline.local(
              Stream.of(DURABLE_SETTINGS, WindowReader.SETTINGS)
                  .flatMap(Stream::of)
                  .toArray(String[]::new))
          + open(NOTING_WHAT_IS_COVERED, OURS, " and " + WindowReader.ANYTHING)
          + " returning "
          + STATE
          + "; "
          + FIRST_PAGE
          + "; "
          + WAIT_FOR_NOTHING_THAT_IS_DURABLE
          + "commit";

  /**
   * As {@link #OURS}, of several lanes. The limit makes each lane's row a look-up by the primary
   * key, whatever the planner thinks of the number of lanes.
   */
  private static final String ALL_OURS =
      " from unnest(?::int[], ?::bigint[], ?::bigint[], ?::uuid[], ?::bigint[]) k (lane, seq,"
          + " epoch, claim_id, window_number) cross join lateral (select * from {outbox_lane_log} l"
          + " where l.lane = k.lane and l.seq = k.seq and l.epoch = k.epoch and l.claim_id ="
          + " k.claim_id and l.window_number = k.window_number limit 1) s where "
          + ClusterGuard.HERE;

  /**
   * As {@link #NOTING_WHAT_IS_COVERED}, once for all rows: after the first row's insert the log
   * ends with that, which nobody has to wait for.
   */
  private static final String NOTING_ONCE_WHAT_IS_COVERED =
      "case when (select set_config('twinbox.covered', pg_current_wal_insert_lsn()::text, true)) <>"
          + " '' then 'open' end";

  /** Opens the windows of those lanes for which anything waits, and which are not far back. */
  static final String OPEN_ANY =
      open(
              NOTING_ONCE_WHAT_IS_COVERED,
              ALL_OURS,
              " and (select last_value from {outbox_position}) - s.next_floor <= ? and "
                  + WindowReader.ANYTHING)
          + " returning "
          + STATE;

  /** As {@link #FIRST_PAGE}, of several lanes: one lane's rows after the other's. */
  static final String FIRST_PAGES =
      "with w as materialized (select l.lane, l.floor, case when exists (select"
          + " pg_snapshot_xip(l.done)) then least(l.ceiling, l.floor + "
          + WindowReader.FIRST_SPAN
          + ") else l.ceiling end as up_to, pg_snapshot_xmax(l.done) as xmax, l.target,"
          + " array(select pg_snapshot_xip(l.done)) as late from unnest(?::int[], ?::bigint[],"
          + " ?::uuid[]) k (lane, seq, claim_id) cross join lateral (select * from"
          + " {outbox_lane_log} l where l.lane = k.lane and l.seq = k.seq and l.claim_id ="
          + " k.claim_id limit 1) l) select f.* from w cross join lateral ("
          + WindowReader.page("w.lane", "w.floor", "w.up_to", "w.xmax", "w.target", "w.late", "0")
          + ") f";

  /** The position comes first; last, as above, the states, the first pages, and the waiting. */
  static final String OPEN_ANY_WITH_PAGES =
      Pipeline.BEGIN
          + Pipeline.local(
                  Stream.of(DURABLE_SETTINGS, WindowReader.SETTINGS)
                      .flatMap(Stream::of)
                      .toArray(String[]::new))
              .replace("; ", ", last_value from {outbox_position}; ")
          + OPEN_ANY
          + "; "
          + FIRST_PAGES
          + "; "
          + WAIT_FOR_NOTHING_THAT_IS_DURABLE
          + "commit";

  static final String PROGRESS =
      Pipeline.BEGIN
          + RELAXED
          + insert(
              "s.lane, s.seq + 1, 'progress', s.owner, s.claim_id, s.epoch, "
                  + LEASE
                  + ", s.window_number, s.done, s.target, s.floor, s.next_floor, s.ceiling,"
                  + " ?, ?",
              OURS + " and s.target is not null");

  static final String RELEASE =
      Pipeline.BEGIN
          + DURABLE
          + insert(
              "s.lane, s.seq + 1, 'release', null, null, s.epoch, null, s.window_number,"
                  + " s.done, s.target, s.floor, s.next_floor, s.ceiling, ?, ?",
              OURS);

  static final String TRIM =
      Pipeline.BEGIN_LONG
          + "with gone as (delete from {outbox_lane_log} g using {outbox_lane_state} s where g.lane"
          + " = s.lane and g.seq < s.seq - ? and g.written_at < clock_timestamp() - interval '1"
          + " minute' returning 1) select count(*) from gone; commit";

  private LaneLogSql() {}

  /**
   * Opens a window. The subquery reads the sequence after this statement's snapshot was taken, as a
   * ceiling must.
   *
   * @param action says that it is opened
   * @param ours from where it has {@code s}, the lane as it was, and on what conditions
   * @param further a condition on {@code s}, the lane as it was, or nothing
   */
  private static String open(String action, String ours, String further) {
    return insertOnly(
        "s.lane, s.seq + 1, "
            + action
            + ", s.owner, s.claim_id, s.epoch, "
            + LEASE
            + ", s.window_number + 1, s.done, pg_current_snapshot(), s.floor, s.next_floor, (select"
            + " last_value from {outbox_position}), 0, '{}'",
        ours
            + " and s.target is null and (select last_value from {outbox_position}) >="
            + " s.next_floor"
            + further);
  }

  private static String insert(String select, String from) {
    return insertOnly(select, from) + RETURNING;
  }

  private static String insertOnly(String select, String from) {
    return "insert into {outbox_lane_log} ("
        + COLUMNS
        + ") select "
        + select
        + from
        + " on conflict do nothing";
  }
}
