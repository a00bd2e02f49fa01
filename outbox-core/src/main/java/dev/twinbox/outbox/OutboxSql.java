package dev.twinbox.outbox;

import dev.twinbox.postgres.SchemaName;

/**
 * The statements of the write side, rendered once for a schema.
 *
 * <p>None names {@code xid} or {@code position}: their defaults belong together, and a producer has
 * no privilege on them. The lane is computed here, from the table, because the number of lanes must
 * not live in a producer's configuration.
 */
final class OutboxSql {
  private static final String COLUMNS = "destination, key, type, content_type, headers, payload";

  /** One array a column; ordinality keeps the caller's order. */
  private static final String MESSAGES =
      """
      unnest(?::text[], ?::int[], ?::uuid[],
             ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bytea[]) with ordinality
        as m (broker, hash, id, destination, key, type, content_type, headers, payload, n)
      """;

  private static final String TIMED_MESSAGES =
      """
      unnest(?::text[], ?::int[], ?::uuid[],
             ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bytea[],
             ?::text[], ?::bigint[], ?::text[], ?::bigint[]) with ordinality
        as m (broker, hash, id, destination, key, type, content_type, headers, payload,
              deliver_at, delay, expires_at, ttl, n)
      """;

  /**
   * Headers come as lines, for unnest would flatten arrays of arrays; none can hold a line feed.
   */
  private static final String HEADERS = "string_to_array(%s, E'\\n')";

  private static final String VALUES =
      "m.destination, m.key, m.type, m.content_type, "
          + HEADERS.formatted("m.headers")
          + ", m.payload";

  /** A condition of the whole statement, so that a batch is stored whole or not at all. */
  private static final String ALL_BROKERS_KNOWN =
      "(select count(*) from $.outbox_broker k where k.broker = any (?::text[])) = ?";

  final SchemaName schema;
  final String insertOne;
  final String insertMany;
  final String insertAlike;
  final String insertTimed;
  final String claimDedupKeys;
  final String findDedupKeys;
  final String missingBrokers;
  final String cancel;

  /** Says on the way whether the transaction may write, which costs nothing here. */
  final String lockKeys =
      """
      select pg_advisory_xact_lock(k), current_setting('transaction_read_only')::boolean
      from unnest(?::bigint[]) k
      """
          .strip();

  OutboxSql(SchemaName schema) {
    this.schema = schema;

    // One row by primary key of a table of a few rows, and the insert: the hot path.
    insertOne =
        in(
            """
            insert into $.outbox (lane, id, %s)
            select b.first_lane + ?::int %% b.lanes, ?::uuid, ?, ?, ?, ?, %s, ?::bytea
            from $.outbox_broker b where b.broker = ?
            """
                .formatted(COLUMNS, HEADERS.formatted("?")));

    // "order by" fences the subquery, so the position's default is drawn after it, in this order.
    insertMany =
        in(
            """
            insert into $.outbox (lane, id, %s)
            select b.first_lane + m.hash %% b.lanes, m.id, %s
            from %s join $.outbox_broker b on b.broker = m.broker
            where %s
            order by m.n
            """
                .formatted(COLUMNS, VALUES, MESSAGES, ALL_BROKERS_KNOWN));

    // What all have in common is sent once and its headers are taken apart once; no join, no sort,
    // for PostgreSQL knows that the ordinality is in order.
    insertAlike =
        in(
            """
            insert into $.outbox (lane, id, %s)
            select b.first_lane + m.hash %% b.lanes, m.id, ?, m.key, ?, ?, b.headers, m.payload
            from unnest(?::int[], ?::uuid[], ?::text[], ?::bytea[]) with ordinality
                as m (hash, id, key, payload, n)
              cross join (select first_lane, lanes, %s as headers
                from $.outbox_broker where broker = ? offset 0) b
            order by m.n
            """
                .formatted(COLUMNS, HEADERS.formatted("?")));

    // The clock is read once, so that each message is either due or scheduled, never both.
    insertTimed =
        in(
            """
            with clock as materialized (select clock_timestamp() as now),
            due as materialized (
              select m.*, now,
                coalesce(m.deliver_at::timestamptz,
                         now + m.delay * interval '1 microsecond', now) as due_at
              from clock cross join %s
              where %s
            ),
            scheduled as (
              insert into $.outbox_scheduled (due_at, id, expires_at, broker, hash, %s)
              select due_at, id,
                coalesce(expires_at::timestamptz, due_at + ttl * interval '1 microsecond'),
                broker, hash, %s
              from due m where due_at > now order by n
              returning 1
            ),
            inserted as (
              insert into $.outbox (lane, id, expires_at, %s)
              select b.first_lane + m.hash %% b.lanes, id,
                coalesce(expires_at::timestamptz, greatest(due_at, now) + ttl * interval '1 microsecond'),
                %s
              from due m join $.outbox_broker b on b.broker = m.broker
              where due_at <= now order by n
              returning 1
            )
            select (select count(*) from scheduled) + (select count(*) from inserted)
            """
                .formatted(TIMED_MESSAGES, ALL_BROKERS_KNOWN, COLUMNS, VALUES, COLUMNS, VALUES));

    // Never a unique violation: PostgreSQL would have aborted the caller's transaction by it.
    claimDedupKeys =
        in(
            """
            insert into $.outbox_dedup (dedup_key, message_id)
            select d.dedup_key, d.message_id
            from unnest(?::text[], ?::uuid[]) as d (dedup_key, message_id)
            where %s
            on conflict (dedup_key) do nothing
            returning dedup_key
            """
                .formatted(ALL_BROKERS_KNOWN));
    findDedupKeys =
        in("select dedup_key, message_id from $.outbox_dedup where dedup_key = any (?::text[])");

    // By primary key, with the rights of the function's owner; null where nothing may be written.
    cancel =
        in(
            """
            select case when not current_setting('transaction_read_only')::boolean
              then $.outbox_cancel(?) end
            """);

    missingBrokers =
        in(
            """
            select m.broker from unnest(?::text[]) as m (broker)
            where not exists (select from $.outbox_broker b where b.broker = m.broker)
            """);
  }

  private String in(String template) {
    return template.replace("$.", schema.quoted() + ".").strip();
  }
}
