package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/**
 * Whether the tables belong to the cluster that they are in. A dump restored into another cluster
 * brings lanes that remember that one's transaction ids and positions, while both are counted anew:
 * new messages would look relayed, and rotation would delete them.
 *
 * <p>{@link #HERE} is part of every statement that writes a lane and of rotation, so that nothing
 * is done in the wrong place even when a proxy exchanges the database behind an open connection.
 * Thread-safe.
 */
public final class ClusterGuard {
  /** True when the tables belong here and nobody doubts it. Reads one row and the control file. */
  static final String HERE =
      "exists (select 1 from {outbox_cluster} c where c.doubted_at is null and c.system_identifier"
          + " = (select system_identifier from pg_control_system()))";

  /** A ceiling was read as last_value; everything else as what was really handed out. */
  private static final String LOOK =
      "select c.system_identifier as known, i.system_identifier as here, c.doubted_at is not"
          + " null as doubted, p.position, p.last_value, l.position as lane_position,"
          + " l.ceiling, l.xmax, c.timeline <> (select timeline_id from pg_control_checkpoint()) as"
          + " promoted, pg_snapshot_xmax(pg_current_snapshot())::text::bigint as"
          + " next_xid from pg_control_system() i left join {outbox_cluster} c on true cross"
          + " join (select last_value, last_value - (not is_called)::int as position from"
          + " {outbox_position}) p cross join (select coalesce(max(greatest(floor,"
          + " next_floor, cursor_position, (select max(a) from unnest(ahead) a))), 0) as"
          + " position, coalesce(max(ceiling), 0) as ceiling,"
          + " coalesce(max(pg_snapshot_xmax(coalesce(target, done))::text::bigint), 0) as"
          + " xmax from {outbox_lane_state}) l";

  /** One descent of (lane, position) a lane and leaf. */
  private static final String ROWS_BEYOND =
      "select coalesce(max(r.position), 0) > (select last_value - (not is_called)::int from"
          + " {outbox_position}) from {outbox_lane} l cross join lateral (select max(o.position) as"
          + " position from {outbox} o where o.lane = l.lane) r";

  private final Pipeline pipeline;
  private final String look;
  private final String rowsBeyond;
  private final String newTimeline;

  /** Works on the tables in {@code tables}. */
  public ClusterGuard(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    look = tables.sql(LOOK);
    rowsBeyond = Pipeline.BEGIN_LONG + tables.sql(ROWS_BEYOND) + "; commit";
    newTimeline =
        tables.sql(
            "with promoted as (update {outbox_cluster} c set timeline = n.timeline_id from (select"
                + " c.timeline, t.timeline_id from {outbox_cluster} c cross join"
                + " pg_control_checkpoint() t where c.timeline <> t.timeline_id for update of c) n"
                + " where "
                + HERE
                + " returning n.timeline, n.timeline_id), noted as (insert into {outbox_audit}"
                + " (done_by, action, selection, affected) select ?, 'promotion', format('timeline"
                + " %s, now %s: lanes go on where the tables say', timeline, timeline_id), 0 from"
                + " promoted) select timeline, timeline_id from promoted");
  }

  /**
   * What a look has found.
   *
   * @param doubts why the tables do not belong here, or empty when all is well
   * @param isPromoted whether the cluster was promoted, and {@link #notePromotion nobody has noted
   *     it} yet
   */
  public record Look(Optional<String> doubts, boolean isPromoted) {}

  /** Looks whether the tables belong here; reads a row a lane. */
  public Look look() throws SQLException {
    return pipeline.query(
        look, s -> {}, rows -> new Look(judge(rows), rows.getBoolean("promoted")));
  }

  /** As {@link #look()}; only why the tables do not belong here. */
  public Optional<String> doubts() throws SQLException {
    return look().doubts();
  }

  /**
   * As {@link #look()}, and also looks for rows beyond the sequence. For a start: it can walk the
   * rows of an open transaction.
   */
  public Look lookAtStart() throws SQLException {
    Look look = look();
    return look.doubts().isPresent()
        ? look
        : new Look(
            pipeline.query(rowsBeyond, s -> {}, ClusterGuard::judgeRowsBeyond), look.isPromoted());
  }

  /** As {@link #doubts()}, on a connection of the caller. */
  public static Optional<String> doubts(Connection connection, Tables tables) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(tables.sql(LOOK));
        ResultSet rows = statement.executeQuery()) {
      return judge(rows);
    }
  }

  /** As {@link #lookAtStart()}, on a connection of the caller. */
  static Optional<String> doubtsAtStart(Connection connection, Tables tables) throws SQLException {
    Optional<String> doubts = doubts(connection, tables);
    if (doubts.isPresent()) {
      return doubts;
    }
    try (PreparedStatement statement = connection.prepareStatement(tables.sql(ROWS_BEYOND));
        ResultSet rows = statement.executeQuery()) {
      return judgeRowsBeyond(rows);
    }
  }

  private static Optional<String> judgeRowsBeyond(ResultSet rows) throws SQLException {
    return rows.next() && rows.getBoolean(1)
        ? Optional.of("the sequence of positions is behind rows of the outbox")
        : Optional.empty();
  }

  /**
   * Notes, once for all relays, that the cluster was promoted since this was last asked. What a
   * promoted copy holds is consistent in itself, so the lanes just go on from their tables.
   *
   * @param relay who asks, for the audit
   * @return the former and the present timeline, when they differ
   */
  public Optional<Promotion> notePromotion(String relay) throws SQLException {
    return pipeline.query(
        newTimeline,
        s -> s.setString(1, "relay " + relay),
        rows ->
            rows.next()
                ? Optional.of(new Promotion(rows.getInt(1), rows.getInt(2)))
                : Optional.empty());
  }

  /** A promoted standby or base backup: the same cluster on another timeline. */
  public record Promotion(int formerTimeline, int timeline) {}

  private static Optional<String> judge(ResultSet r) throws SQLException {
    r.next();
    long known = r.getLong("known");
    boolean isKnown = !r.wasNull();
    long here = r.getLong("here");
    if (!isKnown || known != here) {
      return Optional.of(
          "the tables come from cluster %s and this is cluster %s"
              .formatted(isKnown ? Long.toString(known) : "(unknown)", here));
    }
    if (r.getLong("position") < r.getLong("lane_position")
        || r.getLong("last_value") < r.getLong("ceiling")) {
      return Optional.of(
          "the sequence of positions is at %s and lanes have been at %s"
              .formatted(
                  r.getLong("position"),
                  Math.max(r.getLong("lane_position"), r.getLong("ceiling"))));
    }
    if (r.getLong("next_xid") < r.getLong("xmax")) {
      return Optional.of(
          "the next transaction id is %s and lanes have seen %s"
              .formatted(r.getLong("next_xid"), r.getLong("xmax")));
    }
    return r.getBoolean("doubted")
        ? Optional.of("a re-stamping was begun and not finished")
        : Optional.empty();
  }
}
