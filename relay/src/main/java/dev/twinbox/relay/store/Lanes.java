package dev.twinbox.relay.store;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Which lanes there are. Thread-safe. */
public final class Lanes {
  private final Pipeline pipeline;
  private final String register;
  private final String lanes;

  /** Works on the tables in {@code tables}. */
  public Lanes(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    // The lock keeps two relays from giving the same lane numbers to two brokers.
    register =
        tables.sql(
            Pipeline.BEGIN
                + "lock table {outbox_broker} in share row exclusive mode; insert into"
                + " {outbox_broker} (broker, first_lane, lanes) select ?, coalesce(max(first_lane +"
                + " lanes), 0), 4 from {outbox_broker} having not coalesce(bool_or(broker = ?), false) on conflict do"
                + " nothing; insert into {outbox_lane} (lane, broker, shard) select b.first_lane +"
                + " shard, b.broker, shard from {outbox_broker} b cross join lateral"
                + " generate_series(0, b.lanes - 1) shard on conflict do nothing; insert into"
                + " {outbox_lane_log} (lane, seq, action, epoch, window_number, done, floor,"
                + " next_floor, ceiling, cursor_position, ahead) select l.lane, 0, 'create', 0, 0,"
                + " '1:1:', 0, 0, 0, 0, '{}' from {outbox_lane} l where not exists (select 1 from"
                + " {outbox_lane_log} g where g.lane = l.lane) on conflict do nothing; select 1;"
                + " commit");
    lanes = tables.sql("select lane from {outbox_lane} where broker = ? order by lane");
  }

  /** Gives a broker its lanes, four of them, unless it has some. */
  public void register(String broker) throws SQLException {
    if (!of(broker).isEmpty()) {
      return;
    }
    pipeline.query(
        register,
        s -> {
          s.setString(1, broker);
          s.setString(2, broker);
        },
        rows -> rows.next());
  }

  /** The lanes of a broker, in order. */
  public List<Integer> of(String broker) throws SQLException {
    return pipeline.query(
        lanes,
        s -> s.setString(1, broker),
        rows -> {
          List<Integer> found = new ArrayList<>();
          while (rows.next()) {
            found.add(rows.getInt(1));
          }
          return found;
        });
  }
}
