package dev.twinbox.relay.status;

import dev.twinbox.relay.status.Status.Ring;
import dev.twinbox.relay.status.Status.SizeLine;
import dev.twinbox.relay.status.Status.TransactionLine;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Looks at what the server knows: who has a transaction open, and how large the tables are. */
final class ServerReader {
  private final Rows rows;
  private final String schema;

  ServerReader(Rows rows, String schema) {
    this.rows = rows;
    this.schema = schema;
  }

  /** Whoever holds a lock on the outbox or one of its leaves, but for this look itself. */
  List<TransactionLine> transactions() throws SQLException {
    return rows.all(
        "select l.pid, p.gid, extract(epoch from clock_timestamp() - coalesce(a.xact_start,"
            + " p.prepared)), coalesce(a.application_name, ''), coalesce(a.usename, p.owner, ''),"
            + " coalesce(a.state, case when p.gid is null then 'unknown' else 'prepared' end),"
            + " l.enqueued from (select pid, virtualtransaction, bool_or(mode ="
            + " 'RowExclusiveLock') as enqueued from pg_locks where locktype = 'relation' and"
            + " granted and database = (select oid from pg_database where datname ="
            + " current_database()) and relation in (select '{outbox}'::regclass::oid union all"
            + " select inhrelid from pg_inherits where inhparent = '{outbox}'::regclass) and pid is"
            + " distinct from pg_backend_pid() group by 1, 2) l left join pg_stat_activity a on"
            + " a.pid = l.pid left join pg_prepared_xacts p on l.pid is null and '-1/' ||"
            + " p.transaction = l.virtualtransaction order by 3 desc nulls last limit 5",
        r -> transaction(r, r.getBoolean(7)));
  }

  @Nullable TransactionLine oldestSnapshot() throws SQLException {
    List<TransactionLine> found =
        rows.all(
            "select pid, null, extract(epoch from clock_timestamp() - xact_start),"
                + " coalesce(application_name, ''), coalesce(usename, ''), coalesce(state, '') from"
                + " pg_stat_activity where backend_xmin is not null and pid <> pg_backend_pid() and"
                + " datname = current_database() order by age(backend_xmin) desc, xact_start limit"
                + " 1",
            r -> transaction(r, false));
    return found.isEmpty() ? null : found.get(0);
  }

  private static TransactionLine transaction(ResultSet r, boolean enqueued) throws SQLException {
    int pid = r.getInt(1);
    return new TransactionLine(
        r.wasNull() ? null : pid,
        r.getString(2),
        Rows.tenths(r, 3),
        r.getString(4),
        r.getString(5),
        r.getString(6),
        enqueued);
  }

  Ring ring(@Nullable Integer lowestLane) throws SQLException {
    record Measures(int leaves, long chunk) {}
    Measures measures =
        rows.one(
            "select leaves, chunk from {outbox_ring}",
            r -> new Measures(r.getInt(1), r.getLong(2)));
    List<SizeLine> leaves =
        rows.all(
            "select c.relname, pg_total_relation_size(c.oid) from pg_inherits i join pg_class c on"
                + " c.oid = i.inhrelid where i.inhparent = '{outbox}'::regclass and"
                + " pg_relation_size(c.oid) > 0 order by length(c.relname), c.relname",
            r -> new SizeLine(r.getString(1), r.getLong(2)));
    return new Ring(measures.leaves, measures.chunk, leaves.size(), leaves, lowestLane);
  }

  /** Leaves, partitions and Quartz's tables together, the others by their names. */
  List<SizeLine> sizes() throws SQLException {
    return rows.all(
        "select case when c.relname ~ '^outbox_[0-9]+$' then 'outbox' when c.relname ~"
            + " '^inbox_(p|old|future)[0-9_]*$' then 'inbox' when c.relname ~ '^qrtz_' then"
            + " 'quartz' when c.relname ~ '^outbox_archive' then 'outbox_archive' else c.relname end,"
            + " sum(pg_total_relation_size(c.oid))::bigint from pg_class c join pg_namespace n on"
            + " n.oid = c.relnamespace where n.nspname = ? and c.relkind = 'r' group by 1 order by"
            + " 2 desc, 1",
        r -> new SizeLine(r.getString(1), r.getLong(2)),
        schema);
  }
}
