package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;

/**
 * The statements of {@link Restamp}, in the order in which they run.
 *
 * <p>The trap is telling rows that producers wrote here, after the restore, from those that came
 * with it: here the ids may be lower than those in the lanes' snapshots, so that {@code done} seems
 * to see the new rows, and the sequence may have come back behind, so that their positions seem to
 * be relayed. What helps is PostgreSQL's own column {@code xmin}, the transaction that wrote the
 * row's version into <em>this</em> cluster, together with our {@code xid}, the one that enqueued
 * it. Whatever was written here has an xid that is not above its xmin (a savepoint has a
 * transaction id of its own, and a higher one), and all rows of one xmin have the same xid. A
 * restore writes rows of many xids under one xmin.
 */
final class RestampSql {
  static final String BEGIN =
      Pipeline.BEGIN_UNLIMITED
          + "set local synchronous_commit = on; set local lock_timeout = '1s'; set local jit = off";

  private static final String WITHOUT_LANE =
      "id, created_at, expires_at, destination, key, type, content_type, headers, payload";

  private static final String MESSAGE = "lane, " + WITHOUT_LANE;

  private static final String OF_ROW =
      "o.lane, o.id, o.created_at, o.expires_at, o.destination, o.key, o.type, o.content_type,"
          + " o.headers, o.payload";

  /** A transaction id of 32 bits, as the newest one of 64 bits that is not in the future. */
  private static final String BORN = "(n.xid - ((n.xid - %s.xmin::text::bigint) & 4294967295))";

  private static final String NEXT_XID =
      "(select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xid) n";

  private final Tables tables;

  RestampSql(Tables tables) {
    this.tables = tables;
  }

  /** Has every relay stop claiming and rotating until this is done. */
  String doubt() {
    return tables.sql(
        "update {outbox_cluster} set doubted_at = clock_timestamp() where doubted_at is null");
  }

  /** Producers wait from here on, and nobody has an uncommitted row any more. */
  String lock() {
    return tables.sql(
        "lock table {outbox} in access exclusive mode; lock table {outbox_lane_log} in share row"
            + " exclusive mode");
  }

  String count() {
    return tables.sql("select count(*) from {outbox}");
  }

  /**
   * Sets aside what is unpublished. Published is what the lane's {@code done} sees, up to its next
   * floor, beyond which {@code done} sees nothing; and of an open window what its cursor has passed
   * or knows to be ahead. Never counted as published: where the ids went back, a row that may have
   * been written here. Dead letters and parked messages have their copies.
   *
   * <p>{@code written_here} is stricter, as it only decides the order: such rows come after the
   * restored ones, however low their positions are.
   */
  String stage() {
    return tables.sql(
        "with next as materialized (select * from "
            + NEXT_XID
            + "), lanes as materialized (select l.lane, g.*, g.born < greatest(pg_snapshot_xmax("
            + "g.done), pg_snapshot_xmax(coalesce(g.target, g.done)))::text::bigint as rewound from"
            + " {outbox_lane} l cross join lateral (select "
            + BORN.formatted("g")
            + " as born, g.done, g.target, g.next_floor, g.ceiling, g.cursor_position, g.ahead from"
            + " {outbox_lane_log} g cross join next n where g.lane = l.lane order by g.seq desc"
            + " limit 1) g), origins as materialized (select o.xmin as origin, max("
            + BORN.formatted("o")
            + ") as born, min(o.xid::text::bigint) = max(o.xid::text::bigint) as is_one,"
            + " max(o.xid::text::bigint) <= max("
            + BORN.formatted("o")
            + ") as is_possible from {outbox} o cross join next n group by o.xmin), loaded as"
            + " materialized (select exists (select 1 from {outbox_lane_log} g group by g.lane,"
            + " g.xmin having count(*) > 1) or exists (select 1 from origins where not is_one) as"
            + " loaded, (select max(born) from lanes) as born) insert"
            + " into {outbox_restamp} (written_here, position, "
            + MESSAGE
            + ") select r.is_one and r.is_possible and d.loaded and r.born > d.born, o.position, "
            + OF_ROW
            + " from {outbox} o join origins r on r.origin = o.xmin cross join loaded d left join"
            + " lanes l on l.lane = o.lane where not coalesce(o.position <= greatest(l.next_floor,"
            + " l.ceiling) and not (l.rewound and r.is_one and r.is_possible) and ((o.position <="
            + " l.next_floor and pg_visible_in_snapshot(o.xid, l.done)) or (l.target is not null"
            + " and pg_visible_in_snapshot(o.xid, l.target) and (o.position <= l.cursor_position or"
            + " o.position = any (l.ahead)))), false) and not exists (select 1 from"
            + " {outbox_dead_letter} k where k.lane = o.lane and k.position = o.position and k.id ="
            + " o.id) and not exists (select 1 from {outbox_parked} k where k.lane = o.lane and"
            + " k.position = o.position and k.id = o.id)");
  }

  /** Above every position that anything has. Not undone by a rollback, which does no harm. */
  String raiseSequence() {
    return tables.sql(
        "select setval('{outbox_position}', greatest(1, (select last_value from"
            + " {outbox_position}), (select max(position) from {outbox}), (select max(position)"
            + " from {outbox_dead_letter}), (select max(position) from {outbox_parked}), (select"
            + " max(greatest(floor, next_floor, ceiling, cursor_position, (select max(a) from"
            + " unnest(ahead) a))) from {outbox_lane_state})))");
  }

  /** What is dropped was published. */
  String archive() {
    return tables.sql(
        "with "
            + ArchiveSql.known("{outbox}")
            + " "
            + ArchiveSql.copy("{outbox}")
            + " and "
            + ArchiveSql.IS_KEPT
            + " and not exists (select 1 from {outbox_restamp} s where s.position = o.position and"
            + " s.id = o.id)");
  }

  String empty() {
    return tables.sql("truncate {outbox}");
  }

  /**
   * The defaults stamp: one new xid, and positions drawn after the sort. Nothing can be inserted
   * into a retired lane.
   */
  String insert() {
    return tables.sql(
        "insert into {outbox} ("
            + MESSAGE
            + ") select coalesce("
            + LaneSql.laneNow("r")
            + ", r.lane), "
            + WITHOUT_LANE
            + " from {outbox_restamp} r order by written_here, position");
  }

  String byLane() {
    return tables.sql("select lane, count(*) from {outbox_restamp} group by lane");
  }

  /**
   * As new lanes: {@code done} sees nothing, and no row is at or below the floor. The number of the
   * log row goes on, so that nothing a former owner still sends can hit.
   */
  String resetLanes() {
    return tables.sql(
        "insert into {outbox_lane_log} (lane, seq, action, epoch, window_number, done, floor,"
            + " next_floor, ceiling, cursor_position, ahead) select lane, seq + 1, 'restamp', epoch"
            + " + 1, window_number + 1, '1:1:', %1$s, %1$s, 0, 0, '{}' from {outbox_lane_state}");
  }

  /**
   * Everything else that remembers the other cluster. Quartz's jobs and triggers stay, for relays
   * that run; who fired them is forgotten. A sequence that came back behind would make the numbers
   * of new dead letters clash.
   */
  String tidy() {
    return tables.sql(
        "truncate {outbox_restamp}; delete from {outbox_relay}; delete from {qrtz_fired_triggers};"
            + " delete from {qrtz_scheduler_state}; update {qrtz_triggers} set trigger_state ="
            + " 'WAITING' where trigger_state in ('ACQUIRED', 'BLOCKED'); select"
            + " setval('{outbox_scheduled_number_seq}', greatest(last_value, (select max(number)"
            + " from {outbox_scheduled}))) from {outbox_scheduled_number_seq}; select"
            + " setval('{outbox_dead_letter_number_seq}', greatest(last_value, (select max(number)"
            + " from {outbox_dead_letter}))) from {outbox_dead_letter_number_seq}; select"
            + " setval('{outbox_audit_number_seq}', greatest(last_value, (select max(number) from"
            + " {outbox_audit}))) from {outbox_audit_number_seq}; insert into {outbox_cluster}"
            + " (system_identifier, timeline) select system_identifier, timeline_id from"
            + " pg_control_system(), pg_control_checkpoint() on conflict (only_row) do update set"
            + " system_identifier = excluded.system_identifier, timeline = excluded.timeline,"
            + " doubted_at = null");
  }

  String audit() {
    return tables.sql(
        "insert into {outbox_audit} (done_by, action, selection, affected) values (?, 'restamp', ?,"
            + " ?)");
  }
}
