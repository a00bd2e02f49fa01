package dev.twinbox.relay.store;

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
      "exists (select 1 from {outbox_lane_log} f where f.lane = ? and f.seq = ? and f.claim_id ="
          + " ?)";

  private static final int STEP_PARAMETERS = 8;

  private final Pipeline pipeline;
  private final String sql;
  private final long leaseMillis;

  /**
   * @param change statements without parameters but those that {@link Change} sets; each part that
   *     writes must name {@link #FENCE} or depend on one that does
   */
  FencedWrite(Pipeline pipeline, Tables tables, long leaseMillis, String change) {
    this.pipeline = pipeline;
    this.leaseMillis = leaseMillis;
    sql =
        tables.sql(
            Pipeline.BEGIN_LONG
                + Pipeline.local("client_min_messages", "warning", "synchronous_commit", "on")
                + WindowReader.INDEX_ORDER_ONLY
                + LaneLogSql.STEP
                + change
                + "; "
                + LaneLogSql.READ_STEP
                + "; commit");
  }

  /** Sets the parameters of the change. */
  @FunctionalInterface
  interface Change {
    /**
     * @param first the number of the change's first parameter
     * @return the number after its last
     */
    int bind(java.sql.PreparedStatement statement, int first) throws SQLException;
  }

  /** Sets the three parameters of a {@link #FENCE}; returns the number after them. */
  static int bindFence(java.sql.PreparedStatement s, int first, LaneState known)
      throws SQLException {
    s.setInt(first, known.lane());
    s.setLong(first + 1, known.seq() + 1);
    s.setObject(first + 2, known.claimId());
    return first + 3;
  }

  /**
   * Takes the step and makes the change.
   *
   * @param cursor how far the open window has come, with this change; 0 where none is open
   * @param ahead settled positions beyond the cursor, with this change
   * @return the lane's new state, or empty when the lane is lost and nothing was changed
   */
  Optional<LaneState> run(LaneState known, long cursor, List<Long> ahead, Change change)
      throws SQLException {
    return pipeline.query(
        sql,
        s -> {
          s.setLong(1, leaseMillis);
          s.setLong(2, cursor);
          s.setArray(3, s.getConnection().createArrayOf("bigint", ahead.toArray()));
          LaneLog.bindOurs(s, 4, known);
          int next = change.bind(s, STEP_PARAMETERS + 1);
          bindFence(s, next, known);
        },
        LaneLog::one);
  }
}
