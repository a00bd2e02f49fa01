package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
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
                + "with relaxed as materialized (select set_config('synchronous_commit', 'off', true)),"
                + " own as (insert into {outbox_relay} as r (relay, alive_until, brokers,"
                + " clock_ahead_ms) select ?, clock_timestamp() + ? * interval '1 millisecond', ?,"
                + " extract(epoch from ?::timestamptz - clock_timestamp()) * 1000 from relaxed on"
                + " conflict (relay) do update set alive_until = excluded.alive_until,"
                + " clock_ahead_ms = excluded.clock_ahead_ms returning r.brokers, r.clock_ahead_ms)"
                + " select broker, count(*), max(clock_ahead_ms) from (select brokers,"
                + " clock_ahead_ms from own union all select brokers, null from {outbox_relay} where"
                + " alive_until > clock_timestamp() and relay <> ?) living cross join unnest(brokers)"
                + " broker group by broker; commit");
    leave =
        tables.sql(
            "with gone as (delete from {outbox_relay} where relay = ? or alive_until <"
                + " clock_timestamp() - interval '1 day' returning 1) select count(*) from gone");
  }

  /**
   * What the database says to a heartbeat.
   *
   * @param living how many relays live, by broker that they serve
   * @param clockAhead how far the relay's clock is ahead of the database's; negative when behind
   */
  public record Answer(Map<String, Integer> living, Duration clockAhead) {
    public Answer {
      living = Map.copyOf(living);
    }
  }

  /**
   * Says that this relay lives.
   *
   * @param now by the relay's clock; only compared
   */
  public Answer heartbeat(String relay, Collection<String> brokers, Instant now)
      throws SQLException {
    return pipeline.query(
        heartbeat,
        s -> {
          s.setString(1, relay);
          s.setLong(2, aliveMillis);
          s.setArray(3, s.getConnection().createArrayOf("text", brokers.toArray()));
          s.setObject(4, now.atOffset(ZoneOffset.UTC));
          s.setString(5, relay);
        },
        rows -> {
          Map<String, Integer> living = new HashMap<>();
          long ahead = 0;
          while (rows.next()) {
            living.put(rows.getString(1), rows.getInt(2));
            long own = rows.getLong(3);
            ahead = rows.wasNull() ? ahead : own;
          }
          return new Answer(living, Duration.ofMillis(ahead));
        });
  }

  /** Takes this relay out, and those that have been dead for a day. */
  public void leave(String relay) throws SQLException {
    pipeline.query(leave, s -> s.setString(1, relay), rows -> rows.next());
  }
}
