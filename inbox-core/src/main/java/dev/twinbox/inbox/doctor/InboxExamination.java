package dev.twinbox.inbox.doctor;

import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Privileges;
import dev.twinbox.broker.doctor.SchemaExamination;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Looks at a consumer's side of the database: the inbox's tables, and what its role may do. */
public final class InboxExamination {
  /** The version of the tables that this code was written for; it works from {@link #NEEDS} on. */
  public static final int CODE_VERSION = 7;

  /** With tables for fewer days after today than this, upkeep is looked after. */
  public static final int FEW_DAYS = 2;

  private static final int NEEDS = 6;
  private static final List<String> ALL = List.of("select", "insert", "update", "delete");
  private static final String GRANT = "bin/twinbox grant --consumer ROLE";

  private final String schema;

  /**
   * @param quotedSchema the schema's name in double quotes
   */
  public InboxExamination(String quotedSchema) {
    schema = quotedSchema;
  }

  /** Looks at tables and rights. */
  public List<Finding> examine(Connection connection) throws SQLException {
    Optional<Finding> version =
        new SchemaExamination(schema, NEEDS, CODE_VERSION, GRANT).examine(connection);
    if (version.isPresent()) {
      return List.of(version.get());
    }
    List<Finding> findings = new ArrayList<>(rights(connection));
    if (!findings.isEmpty()) {
      return findings;
    }
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select exists (select from pg_index where indrelid = '%1$s.inbox'::regclass and indisunique and indisvalid and (select array_agg(a.attname::text order by k.place) from unnest(indkey) with ordinality k(attnum, place) join pg_attribute a on a.attrelid = indrelid and a.attnum = k.attnum) = '{message_id,consumer_id}'), coalesce((select max(day) from %1$s.inbox_day) - (clock_timestamp() at time zone 'UTC')::date, -1), (select max(day) from %1$s.inbox_day), (select count(*) from %1$s.inbox_day where closed_at < clock_timestamp() - interval '1 day' and day < (select max(day) from %1$s.inbox_day)), exists (select from %1$s.inbox_retention)"
                    .formatted(schema))) {
      row.next();
      if (!row.getBoolean(1)) {
        findings.add(
            Finding.danger(
                CommonCheck.INBOX_KEY_MISSING,
                "table %s.inbox".formatted(schema),
                "no unique key (message_id, consumer_id)",
                "alter table %s.inbox add primary key (message_id, consumer_id)"
                    .formatted(schema)));
      }
      if (!row.getBoolean(5)) {
        findings.add(
            Finding.warning(
                CommonCheck.INBOX_ROW_MISSING,
                "table %s.inbox_retention".formatted(schema),
                "it is empty",
                "Start a consumer, or call inbox.upkeep().start(): the row is made again, with the"
                    + " default horizon."));
      }
      if (row.getInt(2) < FEW_DAYS) {
        findings.add(
            Finding.warning(
                CommonCheck.INBOX_DAY_MISSING,
                "table %s.inbox".formatted(schema),
                row.getString(3) == null
                    ? "no day has a row in inbox_day"
                    : "the last day that has a table is " + row.getString(3),
                "Start a consumer, or call inbox.upkeep().start(). Where one runs, look for"
                    + " transactions that stay open."));
      }
      if (row.getLong(4) > 0) {
        findings.add(
            Finding.warning(
                CommonCheck.INBOX_DAY_NOT_DROPPED,
                "table %s.inbox".formatted(schema),
                row.getLong(4) + " days were closed more than a day ago and are not dropped",
                "Start a consumer, or call inbox.upkeep().start(). Where one runs, look for"
                    + " transactions that stay open."));
      }
    }
    if (findings.isEmpty()) {
      findings.add(Finding.ok("inbox", "tables and rights are complete"));
    }
    return findings;
  }

  /** For how long dedup records are kept. */
  public Optional<Duration> horizon(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select extract(epoch from horizon)::bigint from %s.inbox_retention"
                    .formatted(schema))) {
      return row.next() ? Optional.of(Duration.ofSeconds(row.getLong(1))) : Optional.empty();
    }
  }

  private List<Finding> rights(Connection connection) throws SQLException {
    return new Privileges(schema)
        .table(List.of("select"), "schema_version", "inbox_retention", "inbox_day")
        .table(List.of("select", "insert"), "inbox", "inbox_consumer")
        .table(ALL, "inbox_failure", "inbox_dead_letter", "inbox_pass")
        .function(
            "inbox_users()",
            "inbox_restore_rows()",
            "inbox_make_days(integer, integer, timestamptz)",
            "inbox_close_days(timestamptz)",
            "inbox_drop_day(integer, timestamptz)",
            "inbox_empty_days(timestamptz)",
            "inbox_purge(integer, timestamptz)")
        .missing(connection, GRANT);
  }
}
