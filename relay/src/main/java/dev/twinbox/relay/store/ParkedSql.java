package dev.twinbox.relay.store;

import dev.twinbox.postgres.SqlParts;

/** What {@link Parked} says to the database. */
final class ParkedSql {
  /**
   * Behind a row of their key that has gone, after {@code with ..., keys (lane, key) as (...)}: so
   * many followers are looked at again. Not all, so that a long row of them costs little when the
   * next one fails.
   */
  static final String RELEASE =
      """
      update {outbox_parked} p set blocked = false
      from keys k
        cross join lateral (select f.position from {outbox_parked} f
          where f.lane = k.lane and f.key = k.key and f.blocked
          order by f.lane, f.key, f.position limit 1000) f
      where p.lane = k.lane and p.position = f.position
        and not exists (select 1 from {outbox_dead_letter} d
          where d.lane = k.lane and d.key = k.key and d.blocks_key and d.position < f.position)""";

  private static final SqlParts PARTS =
      SqlParts.none()
          .with("begin", Pipeline.BEGIN)
          .with("index_order_only", WindowReader.INDEX_ORDER_ONLY)
          .with("fence", FencedWrite.FENCE)
          .with("release", RELEASE)
          .with("seconds_left", OutboxRows.SECONDS_LEFT)
          .with("columns", OutboxRows.columns("q"))
          .with("size", OutboxRows.size("w"))
          .with("archive", ArchiveSql.copyParked("gone"));

  /** The row is copied where it lies. It may be there already: parked before a crash. */
  static final String PARK =
      PARTS.in(
          """
          insert into {outbox_parked} (lane, position, id, created_at, expires_at, destination, key,
            type, content_type, headers, payload, reason, error, attempts, not_before, blocked)
          select o.lane, o.position, o.id, o.created_at, o.expires_at, o.destination, o.key, o.type,
            o.content_type, o.headers, o.payload, p.reason, p.error, p.attempts,
            clock_timestamp() + p.delay * interval '1 millisecond',
            o.key is not null
              and (exists (select 1 from {outbox_dead_letter} d
                  where d.lane = o.lane and d.key = o.key and d.blocks_key
                    and d.position < o.position)
                or exists (select 1 from {outbox_parked} e
                  where e.lane = o.lane and e.key = o.key and (e.blocked or e.attempts > 0)))
          from unnest(:positions::bigint[], :reasons::text[], :errors::text[],
              :attempts::integer[], :delays::bigint[])
              as p (position, reason, error, attempts, delay)
            cross join lateral (select * from {outbox} o
              where o.lane = :lane and o.position = p.position
              order by o.lane, o.position limit 1) o
          where ${fence}
          on conflict (lane, position) do nothing""");

  static final String ANY =
      """
      select exists (select 1 from {outbox_parked} where lane = :lane)
        or exists (select 1 from {outbox_dead_letter} where lane = :lane and blocks_key)""";

  static final String HELD =
      """
      select r.position, exists (select 1 from {outbox_parked} p
        where p.lane = :lane and p.position = r.position) as here
      from unnest(:positions::bigint[], :keys::text[]) as r (position, key)
      where exists (select 1 from {outbox_parked} p
          where p.lane = :lane and p.position = r.position)
        or r.key is not null
          and (exists (select 1 from {outbox_parked} p where p.lane = :lane and p.key = r.key)
            or exists (select 1 from {outbox_dead_letter} d
              where d.lane = :lane and d.key = r.key and d.blocks_key))""";

  /**
   * What may be published now: nothing earlier of its key waits for its time, behind a dead letter,
   * or for a destination that is not taken whole. Earlier ones that may be published come first in
   * the same answer, since each destination gives its first rows and they are merged by position.
   */
  static final String DUE =
      PARTS.in(
          """
          ${begin}${index_order_only}with recursive d (destination) as (
            (select p.destination from {outbox_parked} p where p.lane = :lane and not p.blocked
              order by p.lane, p.destination limit 1)
            union all
            select (select p.destination from {outbox_parked} p
              where p.lane = :lane and not p.blocked and p.destination > d.destination
              order by p.lane, p.destination limit 1)
            from d where d.destination is not null),
          cap as (select * from unnest(:destinations::text[], :most::integer[], :beyond::bigint[])
            as c (destination, rows, beyond))
          select p.*, ${seconds_left}
          from (select ${columns}, q.attempts, q.parked_at, q.size,
              sum(q.size) over (order by q.position rows unbounded preceding) as total
            from (select r.* from d left join cap using (destination)
                cross join lateral (select w.*, ${size} as size from {outbox_parked} w
                  where w.lane = :lane and w.destination = d.destination
                    and w.position > coalesce(cap.beyond, 0) and not w.blocked
                    and (w.not_before is null or w.not_before <= clock_timestamp())
                    and not exists (select 1 from {outbox_parked} e
                      where e.lane = w.lane and e.key = w.key and e.position < w.position
                        and (e.blocked or e.not_before > clock_timestamp()
                          or e.position <= cap.beyond
                          or e.destination <> w.destination
                            and e.destination in (select destination from cap)))
                    and not exists (select 1 from {outbox_dead_letter} l
                      where l.lane = w.lane and l.key = w.key and l.blocks_key
                        and l.position < w.position)
                  order by w.lane, w.destination, w.position limit coalesce(cap.rows, :rows)) r
              where d.destination is not null
              order by r.position limit :rows) q) p
          where p.total - p.size < :bytes
          order by p.position; commit""");

  static final String CONFIRM =
      PARTS.in(
          """
          ${begin}set local synchronous_commit = off; ${index_order_only}with gone as (
            delete from {outbox_parked} p
            using unnest(:positions::bigint[], :ids::uuid[]) as c (position, id)
            where p.lane = :lane and p.position = c.position and p.id = c.id
            returning p.*),
          kept as (${archive}),
          keys as (select distinct lane, key from gone where key is not null)
          ${release}; select 1; commit""");

  /** The followers are set aside, so that what is due is found without walking over them. */
  static final String POSTPONE =
      PARTS.in(
          """
          ${begin}${index_order_only}with changed as (
            update {outbox_parked} p set attempts = n.attempts, reason = n.reason, error = n.error,
              not_before = clock_timestamp() + n.delay * interval '1 millisecond'
            from unnest(:positions::bigint[], :reasons::text[], :errors::text[],
              :attempts::integer[], :delays::bigint[])
              as n (position, reason, error, attempts, delay)
            where p.lane = :lane and p.position = n.position
              and exists (select 1 from {outbox_lane_state} s
                where s.lane = p.lane and s.claim_id = :claim_id)
            returning p.lane, p.key, p.position)
          update {outbox_parked} f set blocked = true from changed c
          where f.lane = c.lane and f.key = c.key and f.position > c.position and not f.blocked;
          select 1; commit""");

  /** From key to key by (lane, key, position), the first row of each. */
  static final String RELEASE_FORGOTTEN =
      PARTS.in(
          """
          ${begin}${index_order_only}select set_config('twinbox.swept', '', true);
          with recursive k (key, blocked, n) as (
            (select p.key, p.blocked, 1 from {outbox_parked} p
              where p.lane = :lane and p.key is not null and p.key >= :from_key
              order by p.lane, p.key, p.position limit 1)
            union all
            select f.key, f.blocked, k.n + 1 from k
              cross join lateral (select p.key, p.blocked from {outbox_parked} p
                where p.lane = :lane and p.key is not null and p.key > k.key
                order by p.lane, p.key, p.position limit 1) f
            where k.n < :most),
          keys as (select :lane::integer as lane, key from k where blocked),
          swept as (select set_config('twinbox.swept', coalesce(max(key), ''), true) from k
            where n = :most),
          released as (${release} returning 1)
          select (select count(*) from released), (select count(*) from swept);
          select current_setting('twinbox.swept'); commit""");

  private ParkedSql() {}
}
