package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Which lanes there are. Thread-safe. */
public final class Lanes {
  private final Pipeline pipeline;
  private final String register;
  private final String lanes;
  private final String isComplete;

  /** Works on the tables in {@code tables}. */
  public Lanes(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    // The lock keeps two relays from giving the same lane numbers to two brokers.
    register =
        tables.sql(
            Pipeline.BEGIN_LONG
                + "lock table {outbox_broker} in share row exclusive mode; insert into"
                + " {outbox_broker} (broker, first_lane, lanes) select ?, coalesce(max(first_lane +"
                + " lanes), 0), 4 from {outbox_broker} having not coalesce(bool_or(broker = ?),"
                + " false) and (count(*) > 0 or not exists (select from {outbox})) on conflict do"
                + " nothing; insert into {outbox_lane} (lane, broker, shard) select b.first_lane +"
                + " shard, b.broker, shard from {outbox_broker} b cross join lateral"
                + " generate_series(0, b.lanes - 1) shard on conflict do nothing; insert into"
                + " {outbox_lane_log} (lane, seq, action, epoch, window_number, done, floor,"
                + " next_floor, ceiling, cursor_position, ahead) select l.lane, 0, 'create', 0, 0,"
                + " '1:1:', 0, 0, 0, 0, '{}' from {outbox_lane} l where not exists (select 1 from"
                + " {outbox_lane_log} g where g.lane = l.lane) on conflict do nothing; select 1;"
                + " commit");
    isComplete =
        tables.sql(
            "select exists (select from {outbox_broker} where broker = ?) and not exists (select"
                + " from {outbox_broker} b cross join lateral generate_series(b.first_lane,"
                + " b.first_lane + b.lanes - 1) n where not exists (select from"
                + " {outbox_lane_state} s where s.lane = n and s.broker = b.broker))");
    lanes =
        tables.sql(
            "select l.lane, l.broker, l.retired_at is not null as retired, exists (select 1 from"
                + " {outbox_lane} f where f.broker = l.broker and f.generation < l.generation and"
                + " f.closed_at is null) as waits from {outbox_lane} l where l.broker = any"
                + " (?::text[]) and l.closed_at is null order by l.lane");
  }

  /**
   * A lane that is in use.
   *
   * @param lane its number
   * @param broker where its messages go
   * @param isRetired whether nothing is enqueued into it any more, because the broker has other
   *     lanes now; it is drained to its end
   * @param waits whether it is not to be begun before retired lanes are closed, which may hold
   *     earlier messages of its keys
   */
  public record Lane(int lane, String broker, boolean isRetired, boolean waits) {}

  /**
   * Gives a broker its lanes, four of them, unless it has some; and each lane its first state,
   * unless it has one. Nothing where no broker has lanes and the outbox has messages: whose they
   * are is not known any more.
   */
  public void register(String broker) throws SQLException {
    if (pipeline.query(
        isComplete, s -> s.setString(1, broker), rows -> rows.next() && rows.getBoolean(1))) {
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

  /** The lanes of these brokers that are in use, in order. */
  public List<Lane> of(Collection<String> brokers) throws SQLException {
    return pipeline.query(
        lanes,
        s -> s.setArray(1, s.getConnection().createArrayOf("text", brokers.toArray())),
        rows -> {
          List<Lane> found = new ArrayList<>();
          while (rows.next()) {
            found.add(
                new Lane(
                    rows.getInt("lane"),
                    rows.getString("broker"),
                    rows.getBoolean("retired"),
                    rows.getBoolean("waits")));
          }
          return found;
        });
  }
}
