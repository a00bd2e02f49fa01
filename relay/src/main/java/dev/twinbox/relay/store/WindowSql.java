package dev.twinbox.relay.store;

import dev.twinbox.postgres.SqlParts;

/**
 * What {@link WindowReader} asks the database, and those of its questions that stand in the
 * statements of {@link LaneLogSql}.
 */
final class WindowSql {
  private static final String ROW =
      """
      o.lane, o.position, o.xid, o.id, o.created_at, o.expires_at, o.destination, o.key, o.type,
                o.content_type, o.headers, o.payload""";

  static final String POLL =
      "select lane, anything, position from {outbox_waiting}(:lanes, :done::text[]::pg_snapshot[], :floors)";

  /**
   * Whether {@code s}, a lane's state, has anything to relay; as {@code outbox_waiting} looks. Late
   * transactions first: beyond the floor their rows would all be walked.
   */
  static final String ANYTHING =
      """
      ((select late.xid
          from (select x from pg_snapshot_xip(s.done) x
              where pg_visible_in_snapshot(x, pg_current_snapshot())) x
            cross join lateral (select o.xid from {outbox} o
              where (o.xid, o.lane, o.position) >= (x, s.lane, 0)
                and (o.xid, o.lane, o.position) <= (x, s.lane, 9223372036854775807)
              order by o.xid, o.lane, o.position limit 1) late
          limit 1) is not null
        or (select o.xid from {outbox} o
          where o.lane = s.lane and o.position > s.floor and o.xid >= pg_snapshot_xmax(s.done)
          order by o.lane, o.position limit 1) is not null)""";

  static final String LATE =
      own(
          """
          select x::text from pg_snapshot_xip(:done::pg_snapshot) x
          where pg_visible_in_snapshot(x, :target::pg_snapshot)
            and (select o.xid from {outbox} o
              where (o.xid, o.lane, o.position) > (x, :lane, :cursor)
                and (o.xid, o.lane, o.position) <= (x, :lane, 9223372036854775807)
              order by o.xid, o.lane, o.position limit 1) is not null""");

  /** Whether a lane has rows for others than these destinations; yes where not all were seen. */
  static final String OTHERS =
      own(
          """
          select count(*) filter (where n.destination <> all (:destinations::text[])) > 0
            or count(*) = :most
          from (select o.destination from {outbox} o
            where o.lane = :lane and o.position > :after
            order by o.lane, o.position limit :most) n""");

  static final String LOOK =
      own(
          """
          select count(*) filter (where n.destination <> all (:destinations::text[])) > 0,
            coalesce(max(n.position), :after)
          from (select o.destination, o.position from {outbox} o
            where o.lane = :lane and o.position > :after
            order by o.lane, o.position limit :most) n""");

  static final String PAGE =
      own(
          page(
              SqlParts.none()
                  .with("lane", ":lane")
                  .with("after", ":after")
                  .with("up_to", ":up_to")
                  .with("xmax", ":xmax::xid8")
                  .with("target", ":target::pg_snapshot")
                  .with("late", ":late::xid8[]")
                  .with("cursor", ":cursor")));

  private WindowSql() {}

  /** A transaction of its own in which only the index's order can be followed. */
  private static String own(String select) {
    return Pipeline.BEGIN + WindowReader.INDEX_ORDER_ONLY + select + "; commit";
  }

  /**
   * The next rows of a window: first by (lane, position), then by (xid, lane, position) for each
   * late xid; each part is ordered and limited by its index, so a page costs its own rows at any
   * backlog. Its own parameters are {@code :rows} and {@code :bytes}.
   *
   * @param window its {@code lane}, {@code after}, {@code up_to}, {@code xmax}, {@code target},
   *     {@code late}, {@code cursor}
   */
  static String page(SqlParts window) {
    return window
        .with("row", ROW)
        .with("seconds_left", OutboxRows.SECONDS_LEFT)
        .with("columns", OutboxRows.columns("q"))
        .with("size", OutboxRows.size("u"))
        .in(
            """
            select p.*, ${seconds_left}
            from (select ${columns}, q.size,
                sum(q.size) over (order by q.position rows unbounded preceding) as total
              from (select u.*, ${size} as size
                from ((select ${row} from {outbox} o
                    where o.lane = ${lane} and o.position > ${after} and o.position <= ${up_to}
                      and o.xid >= ${xmax} and pg_visible_in_snapshot(o.xid, ${target})
                    order by o.lane, o.position limit :rows)
                  union all
                  (select r.*
                    from (select x from unnest(${late}) x
                        where pg_visible_in_snapshot(x, ${target})) late
                      cross join lateral (select ${row} from {outbox} o
                        where (o.xid, o.lane, o.position) > (x, ${lane}, ${cursor})
                          and (o.xid, o.lane, o.position) <= (x, ${lane}, ${up_to})
                        order by o.xid, o.lane, o.position limit :rows) r)) u
                order by u.position limit :rows) q) p
            where p.total - p.size < :bytes
            order by p.position""");
  }
}
