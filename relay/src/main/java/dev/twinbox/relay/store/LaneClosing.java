package dev.twinbox.relay.store;

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
  private static final int ROWS_AT_ONCE = 2_000;

  private final Pipeline pipeline;
  private final String isDrained;
  private final String anythingLeft;
  private final String isClosed;
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
    isDrained = tables.sql("select drained_at is not null from {outbox_lane} where lane = ?");
    isClosed = tables.sql("select closed_at is not null from {outbox_lane} where lane = ?");
    anythingLeft =
        tables.sql(
            "select exists (select 1 from {outbox_parked} where lane = ?) or exists (select 1 from"
                + " {outbox_dead_letter} where lane = ?)");
    long millis = lease.toMillis();
    drained =
        new FencedWrite(
            pipeline,
            tables,
            millis,
            "update {outbox_lane} set drained_at = coalesce(drained_at, clock_timestamp()) where"
                + " lane = ? and retired_at is not null and "
                + FencedWrite.FENCE);
    move =
        new FencedWrite(
            pipeline,
            tables,
            millis,
            moving("outbox_parked")
                + ", letters as ("
                + "update {outbox_dead_letter} d set lane = n.new_lane from ("
                + picked("outbox_dead_letter")
                + ") n where d.lane = n.lane and d.position = n.position and "
                + FencedWrite.FENCE
                + " returning 1) select count(*) from letters");
    // Under the locks nobody redrives a dead letter into the lane meanwhile; what came before them
    // is moved first.
    close =
        new FencedWrite(
            pipeline,
            tables,
            millis,
            "set local lock_timeout = '1s'; lock table {outbox_dead_letter}, {outbox_parked} in share"
                + " row exclusive mode; update {outbox_lane} c set closed_at = clock_timestamp()"
                + " where c.lane = ? and c.drained_at is not null and not exists (select 1 from"
                + " {outbox_parked} p where p.lane = c.lane) and not exists (select 1 from"
                + " {outbox_dead_letter} d where d.lane = c.lane) and "
                + FencedWrite.FENCE);
  }

  private static String picked(String table) {
    return "select m.lane, m.position, "
        + LaneSql.laneNow("m")
        + " as new_lane from (select lane, position, key, id from {"
        + table
        + "} where lane = ? order by lane, position limit "
        + ROWS_AT_ONCE
        + ") m";
  }

  private static String moving(String table) {
    return "with moved as (update {"
        + table
        + "} p set lane = n.new_lane from ("
        + picked(table)
        + ") n where p.lane = n.lane and p.position = n.position and "
        + FencedWrite.FENCE
        + " returning 1)";
  }

  /** Whether the lane has been found drained. To be asked after it was claimed. */
  public boolean isDrained(int lane) throws SQLException {
    return ask(isDrained, lane);
  }

  /** Whether nothing is left of the lane. */
  public boolean isClosed(int lane) throws SQLException {
    return ask(isClosed, lane);
  }

  private boolean ask(String sql, int lane) throws SQLException {
    return pipeline.query(sql, s -> s.setInt(1, lane), rows -> rows.next() && rows.getBoolean(1));
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
    return pipeline.query(
        anythingLeft,
        s -> {
          s.setInt(1, lane);
          s.setInt(2, lane);
        },
        rows -> rows.next() && rows.getBoolean(1));
  }

  /**
   * Moves some of what is left, the first ones first.
   *
   * @return the lane's new state, or empty when the lane is lost
   */
  public Optional<LaneState> move(LaneState known) throws SQLException {
    return move.run(
        known,
        0,
        List.of(),
        (s, first) -> {
          s.setInt(first, known.lane());
          int next = FencedWrite.bindFence(s, first + 1, known);
          s.setInt(next, known.lane());
          return FencedWrite.bindFence(s, next + 1, known);
        });
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
    return write.run(
        known,
        0,
        List.of(),
        (s, first) -> {
          s.setInt(first, known.lane());
          return FencedWrite.bindFence(s, first + 1, known);
        });
  }
}
