package dev.twinbox.relay.status;

import dev.twinbox.relay.status.Status.Ring;
import dev.twinbox.relay.status.Status.SizeLine;
import dev.twinbox.relay.status.Status.TransactionLine;
import dev.twinbox.relay.status.Status.UpkeepLine;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Looks at what the server knows: who has a transaction open, and how large the tables are. */
final class ServerReader {
  private final StatusQueries queries;
  private final String schema;

  ServerReader(StatusQueries queries, String schema) {
    this.queries = queries;
    this.schema = schema;
  }

  /**
   * Whoever holds a lock on the outbox or one of its leaves, but for this look itself. A prepared
   * transaction has no process; it is known by the lock on its own id.
   */
  List<TransactionLine> transactions() throws SQLException {
    return queries.all(
        "select l.pid, p.gid, extract(epoch from clock_timestamp() - coalesce(a.xact_start,"
            + " p.prepared)), coalesce(a.application_name, ''), coalesce(a.usename, p.owner, ''),"
            + " case when l.pid is null then 'prepared' when a.query = '<insufficient privilege>'"
            + " then 'hidden' else coalesce(a.state, a.backend_type, 'unknown') end, l.enqueued"
            + " from (select pid, virtualtransaction, bool_or(mode = 'RowExclusiveLock') as"
            + " enqueued from pg_locks where locktype = 'relation' and granted and database ="
            + " (select oid from pg_database where datname = current_database()) and relation in"
            + " (select '{outbox}'::regclass::oid union all select inhrelid from pg_inherits where"
            + " inhparent = '{outbox}'::regclass) and pid is distinct from pg_backend_pid() group"
            + " by 1, 2) l left join pg_stat_activity a on a.pid = l.pid left join lateral (select"
            + " x.* from pg_locks t join pg_prepared_xacts x on x.transaction = t.transactionid"
            + " where t.locktype = 'transactionid' and t.pid is null and t.virtualtransaction ="
            + " l.virtualtransaction limit 1) p on l.pid is null order by 3 desc nulls last limit"
            + " 5",
        r -> transaction(r, r.getBoolean(7)));
  }

  /**
   * Sessions of this database, standbys that report what they read, prepared transactions and
   * replication slots. A vacuum holds nothing back, and a parallel worker what its leader does.
   */
  @Nullable TransactionLine oldestSnapshot() throws SQLException {
    List<TransactionLine> found =
        queries.all(
            "select h.pid, h.gid, h.seconds, h.application, h.role, h.state from (select a.pid,"
                + " null::text as gid, extract(epoch from clock_timestamp() - a.xact_start) as"
                + " seconds, coalesce(a.application_name, '') as application, coalesce(a.usename,"
                + " '')::text as role, coalesce(a.state, a.backend_type, '') as state,"
                + " greatest(age(a.backend_xmin), age(a.backend_xid)) as held from pg_stat_activity"
                + " a where (a.backend_xmin is not null or a.backend_xid is not null) and a.pid <>"
                + " pg_backend_pid() and (a.datname = current_database() or a.backend_type ="
                + " 'walsender') and a.backend_type <> 'parallel worker' and not exists (select"
                + " from pg_stat_progress_vacuum v where v.pid = a.pid) union all select null,"
                + " p.gid, extract(epoch from clock_timestamp() - p.prepared), '', p.owner::text,"
                + " 'prepared', age(p.transaction) from pg_prepared_xacts p where p.database ="
                + " current_database() union all select null, null, null, s.slot_name::text, '',"
                + " 'replication slot', age(s.xmin) from pg_replication_slots s where s.xmin is not"
                + " null) h order by h.held desc nulls last, h.seconds desc nulls last limit 1",
            r -> transaction(r, false));
    return found.isEmpty() ? null : found.get(0);
  }

  private static TransactionLine transaction(ResultSet r, boolean enqueued) throws SQLException {
    int pid = r.getInt(1);
    return new TransactionLine(
        r.wasNull() ? null : pid,
        r.getString(2),
        StatusQueries.tenths(r, 3),
        r.getString(4),
        r.getString(5),
        r.getString(6),
        enqueued);
  }

  Ring ring(@Nullable Integer lowestLane) throws SQLException {
    record Measures(int leaves, long chunk) {}
    Measures measures =
        queries.one(
            "select (select count(*) from pg_inherits where inhparent = '{outbox}'::regclass),"
                + " (select chunk from {outbox_ring})",
            r -> new Measures(r.getInt(1), r.getLong(2)));
    List<SizeLine> leaves =
        queries.all(
            "select c.relname, pg_total_relation_size(c.oid) from pg_inherits i join pg_class c on"
                + " c.oid = i.inhrelid where i.inhparent = '{outbox}'::regclass and"
                + " pg_relation_size(c.oid) > 0 order by length(c.relname), c.relname",
            r -> new SizeLine(r.getString(1), r.getLong(2)));
    return new Ring(measures.leaves, measures.chunk, leaves.size(), leaves, lowestLane);
  }

  /** Duties of upkeep that have failed lately, the longest first. */
  List<UpkeepLine> upkeep() throws SQLException {
    return queries.all(
        "select duty, relay, extract(epoch from clock_timestamp() - failing_since), error from"
            + " {outbox_upkeep} where failed_at > clock_timestamp() - interval '10 minutes' order"
            + " by failing_since",
        r ->
            new UpkeepLine(
                r.getString(1),
                r.getString(2),
                StatusQueries.tenths(r.getDouble(3)),
                r.getString(4)));
  }

  /** Leaves, partitions and Quartz's tables together, the others by their names. */
  List<SizeLine> sizes() throws SQLException {
    return queries.all(
        "select case when c.relname ~ '^outbox_[0-9]+$' then 'outbox' when c.relname ~"
            + " '^inbox_(p|old|future)[0-9_]*$' then 'inbox' when c.relname ~ '^qrtz_' then"
            + " 'quartz' when c.relname ~ '^outbox_archive' then 'outbox_archive' else c.relname"
            + " end, sum(pg_total_relation_size(c.oid))::bigint from pg_class c join pg_namespace n"
            + " on n.oid = c.relnamespace where n.nspname = ? and c.relkind = 'r' group by 1 order"
            + " by 2 desc, 1",
        r -> new SizeLine(r.getString(1), r.getLong(2)),
        schema);
  }
}
