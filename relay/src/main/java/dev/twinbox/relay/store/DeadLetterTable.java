package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import dev.twinbox.setaside.Filter;
import dev.twinbox.setaside.SetAside.Batch;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jooq.DSLContext;
import org.jooq.QueryPart;
import org.jooq.Record1;
import org.jooq.Select;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** The statements by which an operator changes dead letters. Holds no state. */
public final class DeadLetterTable extends OutboxTable {
  /** What dead letters are selected by. */
  public static final Set<Filter> FILTERS = EnumSet.complementOf(EnumSet.of(Filter.CONSUMER));

  /**
   * Deletes the rows that dead letters have left in the outbox: without the dead letter they would
   * look like published ones, to the archive as well. Named {@code withdrawn}.
   *
   * @param letters what is no dead letter any more, with lane, position and id; and a condition
   */
  static String withdraw(String letters) {
    return "withdrawn as (delete from {outbox} o using (select g.position, g.id, f.lane from"
        + " (select lane, position, id from "
        + letters
        + ") g join {outbox_lane} l on l.lane = g.lane join {outbox_lane} f on f.broker = l.broker"
        + " and (f.lane = l.lane or f.generation < l.generation)) w where o.lane = w.lane and"
        + " o.position = w.position and o.id = w.id)";
  }

  // One that blocks its key goes back to its place before the followers; the relay lets them go
  // when it is published. It waits there itself while an earlier dead letter of its key is left.
  // Any other is enqueued anew, behind whatever its key has by now.
  private static final String REDRIVE =
      """
      with picked as ({0}),
      done as (
        delete from {outbox_dead_letter} d using picked p where d.number = p.number
        returning d.*),
      fresh as (
        select done.*,
          coalesce(clock_timestamp() + {1} * interval '1 millisecond',
            case when expires_at > clock_timestamp() then expires_at end) as fresh_until
        from done),
      back as (
        insert into {outbox_parked} (lane, position, id, created_at, expires_at, destination, key,
          type, content_type, headers, payload, reason, blocked)
        select lane, position, id, created_at, fresh_until, destination, key, type, content_type,
          headers, payload, 'redriven',
          exists (select 1 from {outbox_dead_letter} e
            where e.lane = fresh.lane and e.key = fresh.key and e.blocks_key
              and e.position < fresh.position and e.number not in (select number from done))
        from fresh where blocks_key),
      sent as (
        insert into {outbox} (lane, id, created_at, expires_at, destination, key, type,
          content_type, headers, payload)
        select %s, id, created_at, fresh_until, destination, key, type, content_type, headers,
          payload
        from fresh where not blocks_key order by number),
      %s
      select count(*), coalesce(max(number), 0) from done"""
          .formatted(LaneSql.laneNow("fresh"), withdraw("fresh where not blocks_key"));

  private static final String DISCARD =
      """
      with picked as ({0}),
      done as (
        update {outbox_dead_letter} d set discarded_at = now(), blocks_key = false from picked p
        where d.number = p.number returning d.number)
      select count(*), coalesce(max(number), 0) from done""";

  private static final String FREE_KEYS =
      """
      with keys as (
        select distinct d.lane, d.key from {outbox_dead_letter} d
        where d.discarded_at = now() and d.key is not null)
      """
          + ParkedSql.RELEASE;

  private static final String RESTORE =
      """
      with picked as ({0}),
      done as (
        update {outbox_dead_letter} d set discarded_at = null from picked p
        where d.number = p.number returning d.number)
      select count(*), coalesce(max(number), 0) from done""";

  private static final String BLOCKED =
      """
      select d.key, d.destination, d.number, d.reason, d.dead_at,
        (select count(*) from (select 1 from {outbox_parked} p
          where p.lane = d.lane and p.key = d.key limit 10000) w) as waiting
      from {outbox_dead_letter} d where d.blocks_key order by d.number limit {0}""";

  /** Dead letters of the tables in {@code tables}. */
  public DeadLetterTable(Tables tables) {
    super(tables, "Dead letters", FILTERS, "{outbox_dead_letter}", "dead_at");
  }

  /**
   * A key whose messages wait behind a dead letter.
   *
   * @param number the dead letter's number
   * @param waiting messages behind it, counted up to 10,000
   */
  public record BlockedKey(
      String key, String destination, long number, String reason, Instant since, long waiting) {}

  @Override
  String failure() {
    return "d.reason, d.error, d.attempts, d.first_failed_at, d.discarded_at, d.blocks_key";
  }

  /**
   * Sends some again, with the same ids.
   *
   * @param timeToLive when they expire anew, from now; or null
   */
  public Batch redrive(
      DSLContext dsl, Select<Record1<Long>> picked, @Nullable Duration timeToLive) {
    dsl.execute(Pipeline.local("enable_hashjoin", "off", "enable_mergejoin", "off"));
    return batch(dsl, REDRIVE, picked, millis(timeToLive));
  }

  /** Puts some aside; keys that they block are free. */
  public Batch discard(DSLContext dsl, Select<Record1<Long>> picked) {
    Batch discarded = batch(dsl, DISCARD, picked);
    dsl.execute(tables.sql(FREE_KEYS));
    return discarded;
  }

  /** Brings some back that were put aside. They no longer block their keys. */
  public Batch restore(DSLContext dsl, Select<Record1<Long>> picked) {
    return batch(dsl, RESTORE, picked);
  }

  /** The keys that wait behind a dead letter, the longest blocked first. */
  public List<BlockedKey> blockedKeys(DSLContext dsl, int limit) {
    return dsl.resultQuery(tables.sql(BLOCKED), DSL.val(limit))
        .fetch(
            r ->
                new BlockedKey(
                    r.get("key", String.class),
                    r.get("destination", String.class),
                    r.get("number", Long.class),
                    r.get("reason", String.class),
                    r.get("dead_at", OffsetDateTime.class).toInstant(),
                    r.get("waiting", Long.class)));
  }

  private Batch batch(DSLContext dsl, String sql, QueryPart... parts) {
    return dsl.resultQuery(tables.sql(sql), parts)
        .fetchSingle(r -> new Batch(r.get(0, Long.class), r.get(1, Long.class)));
  }
}
