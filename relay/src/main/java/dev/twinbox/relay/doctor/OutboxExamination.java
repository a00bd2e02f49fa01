package dev.twinbox.relay.doctor;

import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Privileges;
import dev.twinbox.broker.doctor.SchemaExamination;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.Essentials;
import dev.twinbox.relay.store.SchemaGuard;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Looks at the outbox's tables, and at what the relay's role may do with them. */
final class OutboxExamination {
  private static final List<String> ALL = List.of("select", "insert", "update", "delete");
  private static final String GRANT = "bin/twinbox grant --relay ROLE";
  private static final String MIGRATED = "Restore what bin/twinbox migrate --print shows: ";
  private static final Pattern POSITION =
      Pattern.compile(
          "CASE WHEN \\(pg_current_xact_id\\(\\) IS NOT NULL\\) THEN"
              + " nextval\\('[^']*outbox_position'::regclass\\) ELSE NULL::bigint END");

  private final Tables tables;
  private final List<Finding> findings = new ArrayList<>();

  private OutboxExamination(Tables tables) {
    this.tables = tables;
  }

  static List<Finding> examine(Connection connection, Tables tables) throws SQLException {
    Optional<Finding> version =
        new SchemaExamination(
                tables.quotedSchema(), SchemaGuard.CODE_VERSION, SchemaGuard.CODE_VERSION, GRANT)
            .examine(connection);
    if (version.isPresent()) {
      return List.of(version.get());
    }
    OutboxExamination examination = new OutboxExamination(tables);
    examination.all(connection);
    return examination.findings;
  }

  private void all(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      int leaves = leaves(statement);
      rights(connection, leaves);
      if (!findings.isEmpty()) {
        return; // what follows could not be read
      }
      rows(connection);
      if (!findings.isEmpty()) {
        return; // what follows compares with these
      }
      sequence(statement);
      defaults(statement);
      indexes(statement);
      lanes(statement);
      strayRows(statement);
      cluster(statement);
    }
    if (findings.isEmpty()) {
      findings.add(Finding.ok("outbox", "tables, lanes and rights are complete"));
    }
  }

  /** From the catalogue, which everybody may read; the ring's own row may be out of reach. */
  private int leaves(Statement statement) throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            tables.sql(
                "select count(*) from pg_inherits where inhparent = '{outbox}'::regclass"))) {
      row.next();
      return row.getInt(1);
    }
  }

  private void rights(Connection connection, int leaves) throws SQLException {
    Privileges needed =
        new Privileges(tables.quotedSchema())
            .table(List.of("select"), "schema_version", "outbox_ring", "outbox_lane_state")
            .table(List.of("select", "insert"), "outbox_broker")
            .table(List.of("select"), "outbox_cluster", "outbox_retention")
            .table(List.of("select", "insert"), "outbox_archive", "outbox_replay")
            .table(
                ALL,
                "outbox_lane",
                "outbox_lane_log",
                "outbox_relay",
                "outbox_parked",
                "outbox_dead_letter",
                "outbox_scheduled",
                "outbox_upkeep")
            .table(List.of("select", "insert", "delete"), "outbox_sample")
            .table(List.of("select", "insert", "truncate"), "outbox")
            .table(ALL, "qrtz_triggers", "qrtz_job_details", "qrtz_locks")
            .sequence(List.of("usage", "select"), "outbox_position")
            .function(
                "outbox_waiting(integer[], pg_snapshot[], bigint[])",
                "outbox_lane_hash(text, uuid)",
                "outbox_archive_make_days(integer)",
                "outbox_archive_drop_day()",
                "outbox_audit_purge(integer)",
                "outbox_mend()");
    for (int leaf = 0; leaf < leaves; leaf++) {
      needed.table(List.of("select", "truncate"), "outbox_" + leaf);
    }
    findings.addAll(needed.missing(connection, GRANT));
  }

  private void rows(Connection connection) throws SQLException {
    for (String missing : Essentials.missing(connection, tables)) {
      if (missing.startsWith("lane ")) {
        continue; // a finding of its own
      }
      findings.add(
          Finding.danger(
              CommonCheck.ROWS_MISSING,
              "schema " + tables.quotedSchema(),
              "missing: " + missing,
              "Start a relay, or run bin/twinbox migrate: they put it back where nothing is lost by"
                  + " it; else restore it from a backup."));
    }
  }

  private void sequence(Statement statement) throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            tables.sql(
                "select seqcache, seqincrement, seqcycle from pg_sequence where seqrelid ="
                    + " '{outbox_position}'::regclass"))) {
      row.next();
      long cache = row.getLong(1);
      long increment = row.getLong(2);
      boolean cycles = row.getBoolean(3);
      if (cache != 1 || increment != 1 || cycles) {
        findings.add(
            Finding.danger(
                CommonCheck.SEQUENCE_CHANGED,
                "sequence " + tables.of("outbox_position"),
                "cache %s, increment %s, %s"
                    .formatted(cache, increment, cycles ? "cycle" : "no cycle"),
                tables.sql("alter sequence {outbox_position} cache 1 increment by 1 no cycle")));
      }
    }
  }

  private void defaults(Statement statement) throws SQLException {
    try (ResultSet rows =
        statement.executeQuery(
            tables.sql(
                "select a.attname, trim(regexp_replace(coalesce(pg_get_expr(d.adbin, d.adrelid),"
                    + " 'none'), '[[:space:]]+', ' ', 'g')) from pg_attribute a left join"
                    + " pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where"
                    + " a.attrelid = '{outbox}'::regclass and a.attname in ('xid', 'position')"))) {
      while (rows.next()) {
        String column = rows.getString(1);
        String found = rows.getString(2).replace("\"", "");
        boolean untouched =
            column.equals("xid")
                ? found.equals("pg_current_xact_id()")
                : POSITION.matcher(found).matches();
        if (!untouched) {
          findings.add(
              Finding.danger(
                  CommonCheck.COLUMN_DEFAULT_CHANGED,
                  "column %s.%s".formatted(tables.of("outbox"), column),
                  "default " + found,
                  MIGRATED + "the column's default."));
        }
      }
    }
  }

  private void indexes(Statement statement) throws SQLException {
    String sql =
        "select need from unnest(array['{lane,position}', '{xid,lane,position}']) need where not"
            + " exists (select from pg_index i where i.indrelid = '%s'::regclass and i.indisvalid"
            + " and need::text[] = (select array_agg(a.attname::text order by k.place) from"
            + " unnest(i.indkey) with ordinality k(attnum, place) join pg_attribute a on a.attrelid"
            + " = i.indrelid and a.attnum = k.attnum))";
    try (ResultSet rows = statement.executeQuery(sql.formatted(tables.of("outbox")))) {
      while (rows.next()) {
        String columns = rows.getString(1).replaceAll("[{}]", "").replace(",", ", ");
        findings.add(
            Finding.warning(
                CommonCheck.INDEX_MISSING,
                "table " + tables.of("outbox"),
                "no valid index on (%s)".formatted(columns),
                "create index on %s (%s)".formatted(tables.of("outbox"), columns)));
      }
    }
  }

  private void lanes(Statement statement) throws SQLException {
    String missingLeaves =
        "select 'outbox_' || leaf from {outbox_ring} r cross join lateral generate_series(0,"
            + " r.leaves - 1) leaf where not exists (select from pg_inherits i join pg_class c on"
            + " c.oid = i.inhrelid where i.inhparent = '{outbox}'::regclass and c.relname ="
            + " 'outbox_' || leaf) order by leaf";
    try (ResultSet rows = statement.executeQuery(tables.sql(missingLeaves))) {
      while (rows.next()) {
        findings.add(
            Finding.danger(
                CommonCheck.RING_LEAF_MISSING,
                "table " + tables.of("outbox"),
                "no partition " + rows.getString(1),
                MIGRATED
                    + "create table %s.%s".formatted(tables.quotedSchema(), rows.getString(1))
                    + " partition of the outbox."));
      }
    }
    String missingLanes =
        "select b.broker, n from {outbox_broker} b cross join lateral generate_series(b.first_lane,"
            + " b.first_lane + b.lanes - 1) n where not exists (select from {outbox_lane_state} s"
            + " where s.lane = n and s.broker = b.broker) order by n";
    try (ResultSet rows = statement.executeQuery(tables.sql(missingLanes))) {
      while (rows.next()) {
        findings.add(
            Finding.danger(
                CommonCheck.LANE_MISSING,
                "lane %s of %s".formatted(rows.getInt(2), rows.getString(1)),
                "no row in outbox_lane, or none in outbox_lane_log",
                MIGRATED + "the lane's first rows."));
      }
    }
  }

  /** From one lane to the next by the index on (lane, position), however many rows there are. */
  private void strayRows(Statement statement) throws SQLException {
    String stray =
        """
        with recursive used as (
          (select lane from {outbox} order by lane limit 1)
          union all
          select (select o.lane from {outbox} o where o.lane > used.lane order by o.lane limit 1)
          from used where used.lane is not null)
        select used.lane, (select count(*) from (
          select from {outbox} o where o.lane = used.lane limit 1000) counted)
        from used
        where used.lane is not null and not exists (
          select from {outbox_lane} l where l.lane = used.lane)
        order by used.lane limit 10""";
    try (ResultSet rows = statement.executeQuery(tables.sql(stray))) {
      while (rows.next()) {
        int lane = rows.getInt(1);
        int count = rows.getInt(2);
        findings.add(
            Finding.danger(
                CommonCheck.LANE_UNKNOWN,
                "lane " + lane,
                "%s%s rows of table %s name it, and it is no broker's"
                    .formatted(count < 1_000 ? "" : "at least ", count, tables.of("outbox")),
                "Enqueue these messages again with an Outbox, and then: delete from %s where lane = %s"
                    .formatted(tables.of("outbox"), lane)));
      }
    }
  }

  private void cluster(Statement statement) throws SQLException {
    String same =
        "select (select system_identifier from {outbox_cluster}) = (select system_identifier from"
            + " pg_control_system()) and (select last_value from {outbox_position}) >= (select"
            + " coalesce(max(next_floor), 0) from {outbox_lane_state})";
    try (ResultSet row = statement.executeQuery(tables.sql(same))) {
      row.next();
      if (!row.getBoolean(1)) {
        findings.add(
            Finding.danger(
                CommonCheck.RESTORED_CLUSTER,
                "schema " + tables.quotedSchema(),
                "the lanes belong to another cluster, or to a later time",
                "docs/operations.md, 'Backup and restore'."));
      }
    }
  }
}
