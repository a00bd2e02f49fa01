package dev.twinbox.relay.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.sql.SQLException;
import java.util.UUID;

/** Messages that are not due yet. Thread-safe. */
public final class Scheduled {
  private final Pipeline pipeline;
  private final String promote;
  private final long gate;

  /** Works on the tables in {@code tables}. */
  public Scheduled(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    gate =
        UUID.nameUUIDFromBytes(tables.of("outbox_scheduled").getBytes(UTF_8))
            .getMostSignificantBits();
    // One at a time: of two at once the later could draw the lower positions. Walks (due_at,
    // number). Positions are drawn after the sort, so they follow the due times. A
    // broker without a row would yield a null lane and so fail the statement: nothing is dropped.
    promote =
        tables.sql(
            Pipeline.BEGIN
                + "set local synchronous_commit = on; with gate as materialized (select"
                + " pg_try_advisory_xact_lock(?) as open), due as (delete from {outbox_scheduled} s"
                + " using (select id from {outbox_scheduled} where due_at <= clock_timestamp() and (select open from gate) order"
                + " by due_at, number limit ? for update skip locked) d where s.id = d.id returning"
                + " s.*), moved as (insert into {outbox} (lane, id, created_at, expires_at,"
                + " destination, key, type, content_type, headers, payload) select b.first_lane +"
                + " d.hash % b.lanes, d.id, d.created_at, d.expires_at, d.destination, d.key,"
                + " d.type, d.content_type, d.headers, d.payload from due d left join"
                + " {outbox_broker} b using (broker) order by d.due_at, d.number returning 1) select"
                + " count(*) from moved; commit");
  }

  /**
   * Moves what is due into the outbox, in order of due time, in one statement.
   *
   * @param atMost at most so many
   * @return how many were moved
   */
  public int promote(int atMost) throws SQLException {
    return pipeline.query(
        promote,
        s -> {
          s.setLong(1, gate);
          s.setInt(2, atMost);
        },
        rows -> {
          rows.next();
          return rows.getInt(1);
        });
  }
}
