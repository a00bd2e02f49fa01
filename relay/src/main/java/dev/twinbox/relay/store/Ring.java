package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.SQLException;

/** Who keeps the ring of leaves from being emptied. Thread-safe. */
public final class Ring {
  private final Pipeline pipeline;
  private final String pinned;

  /** Works on the tables in {@code tables}. */
  public Ring(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    pinned =
        tables.sql(
            "select exists (select 1 from {outbox_lane_state} o cross join {outbox_ring} r where"
                + " o.lane <> ? and o.floor > greatest(?, ?) + r.chunk * (r.leaves / 2))");
  }

  /**
   * Whether a lane that stands still has fallen behind another one by half the ring, so that its
   * rows begin to keep the other's leaves from being emptied. When all stand still, none does.
   *
   * @param cursor everything of the lane's open window up to this position is settled
   */
  public boolean isPinnedBy(LaneState lane, long cursor) throws SQLException {
    return pipeline.query(
        pinned,
        s -> {
          s.setInt(1, lane.lane());
          s.setLong(2, lane.floor());
          s.setLong(3, cursor);
        },
        rows -> rows.next() && rows.getBoolean(1));
  }
}
