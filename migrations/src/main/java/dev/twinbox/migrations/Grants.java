package dev.twinbox.migrations;

import dev.twinbox.postgres.SchemaName;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;

/** The least that each kind of role needs. None of them owns anything or may create anything. */
final class Grants {
  /** A message's columns, in every table that holds messages. */
  private static final String MESSAGE =
      "id, expires_at, destination, key, type, content_type, headers, payload";

  /**
   * Without xid and position, whose defaults belong together: a producer that set a position by
   * hand could place a message where the relay has already read.
   */
  private static final List<String> PRODUCER =
      List.of(
          "grant usage on schema {schema} to {role}",
          "grant select on {schema}.outbox_broker to {role}",
          "grant insert (lane, " + MESSAGE + ") on {schema}.outbox to {role}",
          "grant usage on sequence {schema}.outbox_position to {role}",
          "grant insert (due_at, broker, hash, "
              + MESSAGE
              + ") on {schema}.outbox_scheduled to {role}",
          "grant execute on function {schema}.outbox_cancel(uuid) to {role}",
          "grant insert (dedup_key, message_id), select (dedup_key, message_id)"
              + " on {schema}.outbox_dedup to {role}");

  /**
   * Select on the position reads last_value; update on sequences is for re-stamping a restore. The
   * inbox's retention says which dead letters are too old to be sent again.
   */
  private static final List<String> RELAY =
      List.of(
          "grant usage on schema {schema} to {role}",
          "grant select on {schema}.schema_version, {schema}.outbox_ring,"
              + " {schema}.outbox_lane_state to {role}",
          "grant select, insert, update on {schema}.outbox_cluster, {schema}.outbox_broker to"
              + " {role}",
          "grant select, insert, update, delete on {schema}.outbox_lane, {schema}.outbox_lane_log,"
              + " {schema}.outbox_relay, {schema}.outbox_parked, {schema}.outbox_dead_letter,"
              + " {schema}.outbox_scheduled, {schema}.outbox_dedup to {role}",
          "grant select, insert on {schema}.outbox_audit to {role}",
          "grant select, insert, delete on {schema}.outbox_replay to {role}",
          "grant select, update on {schema}.outbox_retention to {role}",
          "grant select, insert on {schema}.outbox_archive to {role}",
          "grant execute on function {schema}.outbox_archive_make_days(integer),"
              + " {schema}.outbox_archive_drop_day(), {schema}.outbox_audit_purge(integer) to"
              + " {role}",
          "grant select, insert, delete on {schema}.outbox_sample to {role}",
          "grant select, insert, update, delete on {schema}.outbox_upkeep to {role}",
          "grant execute on function {schema}.outbox_mend() to {role}",
          "grant select on {schema}.inbox_retention to {role}",
          "grant select, insert, update, delete, truncate on {schema}.outbox to {role}",
          "grant select, insert, truncate on {schema}.outbox_restamp to {role}",
          "grant execute on function {schema}.outbox_lane_hash(text, uuid),"
              + " {schema}.outbox_waiting(integer[], pg_snapshot[], bigint[]) to {role}",
          "grant usage, select, update on sequence {schema}.outbox_position,"
              + " {schema}.outbox_scheduled_number_seq, {schema}.outbox_dead_letter_number_seq,"
              + " {schema}.outbox_audit_number_seq to {role}");

  /** No delete on inbox: old ids are dropped by the upkeep functions, with their owner's rights. */
  private static final List<String> CONSUMER =
      List.of(
          "grant usage on schema {schema} to {role}",
          "grant select on {schema}.schema_version, {schema}.inbox_retention, {schema}.inbox_day"
              + " to {role}",
          "grant select, insert on {schema}.inbox_consumer to {role}",
          "grant select, insert on {schema}.inbox to {role}",
          "grant select, insert, update, delete on {schema}.inbox_failure,"
              + " {schema}.inbox_dead_letter, {schema}.inbox_pass to {role}",
          "grant select, insert, update on {schema}.inbox_redrive to {role}",
          "grant select, insert on {schema}.inbox_audit to {role}",
          "grant execute on function {schema}.inbox_make_days(integer),"
              + " {schema}.inbox_close_days(), {schema}.inbox_drop_day(),"
              + " {schema}.inbox_purge(integer) to {role}",
          "grant execute on function {schema}.inbox_users(), {schema}.inbox_restore_rows(),"
              + " {schema}.inbox_make_days(integer, integer, timestamptz),"
              + " {schema}.inbox_close_days(timestamptz),"
              + " {schema}.inbox_drop_day(integer, timestamptz),"
              + " {schema}.inbox_empty_days(timestamptz),"
              + " {schema}.inbox_purge(integer, timestamptz) to {role}");

  private final SchemaName schema;

  Grants(SchemaName schema) {
    this.schema = schema;
  }

  void producer(DataSource dataSource, String role) {
    run(dataSource, role, PRODUCER);
  }

  /**
   * The leaves of the ring and Quartz's tables are found by name: how many there are may differ.
   */
  void relay(DataSource dataSource, String role) {
    String each =
        """
        do $grants$
        declare
          found regclass;
        begin
          for found in
            select inhrelid from pg_inherits where inhparent = '{schema}.outbox'::regclass
          loop
            execute format('grant select, insert, update, delete, truncate on %s to %s',
              found, '{role}');
          end loop;
          for found in
            select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = '{name}' and c.relkind = 'r' and c.relname like 'qrtz\\_%'
          loop
            execute format('grant select, insert, update, delete on %s to %s',
              found, '{role}');
          end loop;
        end
        $grants$
        """;
    run(dataSource, role, RELAY, each);
  }

  void consumer(DataSource dataSource, String role) {
    run(dataSource, role, CONSUMER);
  }

  private void run(DataSource dataSource, String role, List<String> grants, String... more) {
    String quoted = quotedRole(role);
    try (Connection connection = OwnSession.open(dataSource);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      // Two at once would fail with "tuple concurrently updated".
      statement.execute("select pg_advisory_xact_lock(hashtextextended('twinbox grants', 0))");
      for (String grant : grants) {
        statement.execute(filled(grant, quoted));
      }
      for (String block : more) {
        statement.execute(filled(block, quoted));
      }
      connection.commit();
    } catch (SQLException e) {
      throw new IllegalStateException(
          "Granting to the role %s in the schema %s failed: %s"
              .formatted(role, schema.name(), e.getMessage()),
          e);
    }
  }

  private String filled(String template, String role) {
    return template
        .replace("{schema}", schema.quoted())
        .replace("{name}", schema.name())
        .replace("{role}", role);
  }

  private static String quotedRole(String role) {
    boolean everybody = role.equals("public") || role.equals("none");
    int bytes = role.getBytes(StandardCharsets.UTF_8).length;
    if (everybody || bytes == 0 || bytes > 63 || !role.matches("[\\p{L}\\p{N}_.@ -]+")) {
      throw new IllegalArgumentException(
          ("The role '%s' is not accepted: name one existing role with letters, digits, '_', '-',"
                  + " '.', '@' or space, at most 63 bytes.")
              .formatted(role));
    }
    return '"' + role + '"';
  }
}
