package dev.twinbox.relay.store;

import dev.twinbox.postgres.Sql;
import dev.twinbox.postgres.SqlParts;
import dev.twinbox.postgres.Tables;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * A change of other tables in one transaction with a step of the lane's log: both happen or none.
 * The log's primary key decides between this and whatever else is written for the lane, a claim by
 * another relay included, so that a relay that has lost its lane changes nothing. Durable before it
 * returns. Thread-safe.
 */
final class FencedWrite {
  /** Stands in the change for the condition that the step was taken. */
  static final String FENCE =
      """
      exists (select 1 from {outbox_lane_log} f
          where f.lane = :lane and f.seq = :step and f.claim_id = :claim_id)""";

  private static final SqlParts STEP =
      SqlParts.none()
          .with("begin_long", Pipeline.BEGIN_LONG)
          .with(
              "durable",
              Pipeline.local("client_min_messages", "warning", "synchronous_commit", "on"))
          .with("index_order_only", WindowReader.INDEX_ORDER_ONLY)
          .with("insert", LaneLogSql.STEP)
          .with("step", "${begin_long}${durable}${index_order_only}${insert}")
          .with("read_step", LaneLogSql.READ_STEP);

  private final Pipeline pipeline;
  private final Sql sql;
  private final long leaseMillis;

  /**
   * @param change statements with parameters of their own, and {@code :lane} and {@code :claim_id};
   *     each part that writes must name {@link #FENCE} or depend on one that does
   */
  FencedWrite(Pipeline pipeline, Tables tables, long leaseMillis, String change) {
    this.pipeline = pipeline;
    this.leaseMillis = leaseMillis;
    sql = tables.named(STEP.with("change", change).in("${step}; ${change}; ${read_step}; commit"));
  }

  /**
   * Takes the step and makes the change.
   *
   * @param cursor how far the open window has come, with this change; 0 where none is open
   * @param ahead settled positions beyond the cursor, with this change
   * @return the lane's new state, or empty when the lane is lost and nothing was changed
   */
  Optional<LaneState> run(LaneState known, long cursor, List<Long> ahead, Sql.Binder change)
      throws SQLException {
    return pipeline.query(
        sql,
        p -> {
          LaneLog.bindOurs(p.set("lease", leaseMillis).set("step", known.seq() + 1), known);
          LaneLog.bindCursor(p, cursor, ahead);
          change.bind(p);
        },
        LaneLog::one);
  }
}
