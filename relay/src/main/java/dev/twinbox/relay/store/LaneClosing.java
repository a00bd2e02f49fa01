package dev.twinbox.relay.store;

import dev.twinbox.postgres.Sql;
import dev.twinbox.postgres.SqlParts;
import dev.twinbox.postgres.Tables;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The end of a retired lane: what is parked beside it, and its dead letters, move to the lanes that
 * their keys have now, positions and all; then it is closed, and once all lanes of its generation
 * are, the new ones are begun. Each step is fenced by the lane's log, so that it can stop anywhere
 * and another relay goes on. Thread-safe.
 *
 * <p>A lane that is once {@code drained} is only moved from, never published from again: of a key
 * that was moved in part, the rest must not come first.
 */
public final class LaneClosing {
  private static final SqlParts PARTS =
      SqlParts.none()
          .with("fence", FencedWrite.FENCE)
          .with("lane_now", LaneSql.laneNow("m"))
          .with("rows_at_once", "2000");

  private static final String DRAINED =
      PARTS.in(
          """
          update {outbox_lane} set drained_at = coalesce(drained_at, clock_timestamp())
          where lane = :lane and retired_at is not null and ${fence}""");

  private static final String MOVE =
      PARTS
          .with("moved", moving("outbox_parked"))
          .with("letters", moving("outbox_dead_letter"))
          .in(
              """
              with moved as (${moved}), letters as (${letters})
              select count(*) from letters""");

  /**
   * Under the locks nobody redrives a dead letter into the lane meanwhile; what came before them is
   * moved first.
   */
  private static final String CLOSE =
      PARTS.in(
          """
          set local lock_timeout = '1s';
          lock table {outbox_dead_letter}, {outbox_parked} in share row exclusive mode;
          update {outbox_lane} c set closed_at = clock_timestamp()
          where c.lane = :lane and c.drained_at is not null
            and not exists (select 1 from {outbox_parked} p where p.lane = c.lane)
            and not exists (select 1 from {outbox_dead_letter} d where d.lane = c.lane)
            and ${fence}""");

  private final Pipeline pipeline;
  private final Sql isDrained;
  private final Sql anythingLeft;
  private final Sql isClosed;
  private final FencedWrite drained;
  private final FencedWrite move;
  private final FencedWrite close;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   * @param lease how long a lane stays ours after each write
   */
  public LaneClosing(Pipeline pipeline, Tables tables, Duration lease) {
    this.pipeline = pipeline;
    isDrained = tables.named("select drained_at is not null from {outbox_lane} where lane = :lane");
    isClosed = tables.named("select closed_at is not null from {outbox_lane} where lane = :lane");
    anythingLeft =
        tables.named(
            """
            select exists (select 1 from {outbox_parked} where lane = :lane)
              or exists (select 1 from {outbox_dead_letter} where lane = :lane)""");
    drained = new FencedWrite(pipeline, tables, lease.toMillis(), DRAINED);
    move = new FencedWrite(pipeline, tables, lease.toMillis(), MOVE);
    close = new FencedWrite(pipeline, tables, lease.toMillis(), CLOSE);
  }

  private static String moving(String table) {
    return PARTS
        .with("table", "{" + table + "}")
        .in(
            """
            update ${table} p set lane = n.new_lane
              from (select m.lane, m.position, ${lane_now} as new_lane
                from (select lane, position, key, id from ${table} where lane = :lane
                  order by lane, position limit ${rows_at_once}) m) n
              where p.lane = n.lane and p.position = n.position and ${fence}
              returning 1""");
  }

  /** Whether the lane has been found drained. To be asked after it was claimed. */
  public boolean isDrained(int lane) throws SQLException {
    return ask(isDrained, lane);
  }

  /** Whether nothing is left of the lane. */
  public boolean isClosed(int lane) throws SQLException {
    return ask(isClosed, lane);
  }

  private boolean ask(Sql sql, int lane) throws SQLException {
    return pipeline.query(sql, p -> p.set("lane", lane), rows -> rows.next() && rows.getBoolean(1));
  }

  /**
   * Notes that the lane has no unpublished row left.
   *
   * @return the lane's new state, or empty when the lane is lost
   */
  public Optional<LaneState> drained(LaneState known) throws SQLException {
    return write(drained, known);
  }

  /** Whether anything is parked or dead in the lane. */
  public boolean isAnythingLeft(int lane) throws SQLException {
    return ask(anythingLeft, lane);
  }

  /**
   * Moves some of what is left, the first ones first.
   *
   * @return the lane's new state, or empty when the lane is lost
   */
  public Optional<LaneState> move(LaneState known) throws SQLException {
    return write(move, known);
  }

  /**
   * Closes the lane, unless something came back into it meanwhile.
   *
   * @return the lane's new state, or empty when the lane is lost
   */
  public Optional<LaneState> close(LaneState known) throws SQLException {
    return write(close, known);
  }

  private static Optional<LaneState> write(FencedWrite write, LaneState known) throws SQLException {
    return write.run(known, 0, List.of(), p -> {});
  }
}
