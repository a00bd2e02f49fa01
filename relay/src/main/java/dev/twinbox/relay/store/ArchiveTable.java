package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside.Batch;
import dev.twinbox.setaside.SetAside.Range;
import java.time.Duration;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Published messages that are kept: those in the archive, and those whose leaf has not been emptied
 * yet. A message is in one of the two, also while its leaf is being emptied. Holds no state.
 *
 * <p>Both are walked by position, which is the order in which messages were enqueued; which
 * positions a range of time takes, the archive's BRIN index tells.
 */
public final class ArchiveTable extends OutboxTable {
  private static final String ROW =
      """
      d.lane, d.position, d.id, d.created_at, d.expires_at, d.destination, d.key, d.type,
        d.content_type, d.headers, d.payload""";

  /** A message that was redriven, or moved, can have been archived twice; the last copy counts. */
  private static final String LAST_COPY =
      """
      not exists (select 1 from {outbox_archive} n
        where n.id = d.id and (n.archived_at, n.position) > (d.archived_at, d.position))""";

  /** Of rows of the outbox: what the archive has not got yet. See {@link ArchiveSql}. */
  private static final String PUBLISHED =
      """
      pg_visible_in_snapshot(d.xid, s.done)
        and not exists (select 1 from {outbox_dead_letter} l
          where l.id = d.id and l.position = d.position)
        and not exists (select 1 from {outbox_lane} l join {outbox_parked} p on p.lane = l.lane
          where p.position = d.position and (l.lane = d.lane or l.closed_at is null))
        and not exists (select 1 from {outbox_replay} r where r.xid = d.xid)
        and not exists (select 1 from {outbox_archive} a where a.id = d.id)""";

  private static final String BOTH =
      """
      (select %1$s from {outbox_archive} d where %2$s
        union all
        select %1$s from {outbox} d join {outbox_lane_state} s on s.lane = d.lane where %3$s)"""
          .formatted(ROW, LAST_COPY, PUBLISHED);

  private static final String REPLAY =
      """
      with picked as materialized (
        select k.*
        from ((select %1$s from {outbox_archive} d where {0} and %2$s
            order by d.position limit {1})
          union all
          select z.*
          from {outbox_lane_state} s
          cross join lateral (select %1$s from {outbox} d where d.lane = s.lane and {0} and %3$s
            order by d.lane, d.position limit {1}) z) k
        order by k.position limit {1}),
      sent as (
        insert into {outbox} (lane, id, created_at, expires_at, destination, key, type,
          content_type, headers, payload)
        select %4$s, p.id, p.created_at,
          coalesce(clock_timestamp() + {2} * interval '1 millisecond',
            case when p.expires_at > clock_timestamp() then p.expires_at end),
          p.destination, p.key, p.type, p.content_type, p.headers, p.payload
        from picked p order by p.position),
      marked as (
        insert into {outbox_replay} (replayed_at)
        select clock_timestamp() where exists (select 1 from picked))
      select count(*), coalesce(max(position), 0) from picked"""
          .formatted(ROW, LAST_COPY, PUBLISHED, LaneSql.laneNow("p"));

  /** Published messages of the tables in {@code tables}. */
  public ArchiveTable(Tables tables) {
    super(tables, "Archived messages", ScheduledTable.FILTERS, BOTH, "created_at");
  }

  @Override
  protected Field<Long> number() {
    return column("position", SQLDataType.BIGINT);
  }

  @Override
  protected @Nullable Condition isDiscarded() {
    return null;
  }

  /** Whether there is an archive; without one only what was published last can be replayed. */
  public boolean isKept(DSLContext dsl) {
    return dsl.resultQuery(tables.sql("select " + ArchiveSql.IS_KEPT))
        .fetchSingle(r -> r.get(0, Boolean.class));
  }

  /**
   * Enqueues some again, with their ids, in their old order. An expiry that is over is left out.
   *
   * @param timeToLive when they expire anew, from now; or null
   */
  public Batch replay(
      DSLContext dsl, Selection selection, Range range, @Nullable Duration timeToLive) {
    dsl.execute(Pipeline.local("enable_seqscan", "off", "jit", "off"));
    Condition wanted =
        matches(selection).and(number().gt(range.beyond())).and(number().le(range.upTo()));
    return dsl.resultQuery(tables.sql(REPLAY), wanted, DSL.val(range.limit()), millis(timeToLive))
        .fetchSingle(r -> new Batch(r.get(0, Long.class), r.get(1, Long.class)));
  }
}
