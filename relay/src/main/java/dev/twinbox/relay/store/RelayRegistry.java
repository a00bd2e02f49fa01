package dev.twinbox.relay.store;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/** Which relays live, by the database's clock. Thread-safe. */
public final class RelayRegistry {
  private final Pipeline pipeline;
  private final long aliveMillis;
  private final String heartbeat;
  private final String leave;

  /**
   * @param pipeline the database
   * @param tables where the table is
   * @param alive how long a heartbeat counts
   */
  public RelayRegistry(Pipeline pipeline, Tables tables, Duration alive) {
    this.pipeline = pipeline;
    this.aliveMillis = alive.toMillis();
    heartbeat =
        tables.sql(
            Pipeline.BEGIN
                + "set local synchronous_commit = off; insert into {outbox_relay} as r (relay,"
                + " alive_until, brokers) values (?, clock_timestamp() + ? * interval '1"
                + " millisecond', ?) on conflict (relay) do update set alive_until ="
                + " excluded.alive_until; select broker, count(*) from {outbox_relay} cross join"
                + " unnest(brokers) broker where alive_until > clock_timestamp() group by broker;"
                + " commit");
    leave =
        tables.sql(
            "with gone as (delete from {outbox_relay} where relay = ? or alive_until <"
                + " clock_timestamp() - interval '1 day' returning 1) select count(*) from gone");
  }

  /**
   * Says that this relay lives.
   *
   * @return how many relays live, by broker that they serve
   */
  public Map<String, Integer> heartbeat(String relay, Collection<String> brokers)
      throws SQLException {
    return pipeline.query(
        heartbeat,
        s -> {
          s.setString(1, relay);
          s.setLong(2, aliveMillis);
          s.setArray(3, s.getConnection().createArrayOf("text", brokers.toArray()));
        },
        rows -> {
          Map<String, Integer> living = new HashMap<>();
          while (rows.next()) {
            living.put(rows.getString(1), rows.getInt(2));
          }
          return living;
        });
  }

  /** Takes this relay out, and those that have been dead for a day. */
  public void leave(String relay) throws SQLException {
    pipeline.query(leave, s -> s.setString(1, relay), rows -> rows.next());
  }
}
