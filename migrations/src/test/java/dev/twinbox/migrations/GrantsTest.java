package dev.twinbox.migrations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.testkit.PostgresVersion;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("essential")
final class GrantsTest {
  private static final String SCHEMA = "Twin-Box";

  private final Migrations migrations = Migrations.defaults().schema(SCHEMA).ring(1000, 3);

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void grantsMayBeRepeated(PostgresVersion version) throws SQLException {
    TestDatabase database = migrated(version);
    String role = role(database);
    for (int run = 0; run < 2; run++) {
      migrations.grantProducer(database.dataSource(), role);
      migrations.grantRelay(database.dataSource(), role);
      migrations.grantConsumer(database.dataSource(), role);
      if (run == 0) {
        Sql.run(database.dataSource(), "create table before_second as " + privileges(role));
      }
    }
    assertThat(Sql.list(database.dataSource(), privileges(role)))
        .hasSizeGreaterThan(50)
        .isEqualTo(Sql.list(database.dataSource(), "select p from before_second order by 1"));
  }

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void aProducerCanInsertColumnsAndNothingElse(PostgresVersion version) throws SQLException {
    TestDatabase database = migrated(version);
    String role = role(database);
    migrations.grantProducer(database.dataSource(), role);
    DataSource producer = database.dataSource(role);

    Sql.run(
        producer, insert("lane, id, destination, type", "0, gen_random_uuid(), 'kafka:a', 't'"));
    Sql.run(producer, "select \"" + SCHEMA + "\".outbox_cancel(gen_random_uuid())");

    for (String forbidden :
        List.of(
            insert("position, lane, id, destination, type", "1, 0, gen_random_uuid(), 'k', 't'"),
            insert("xid, lane, id, destination, type", "'1', 0, gen_random_uuid(), 'k', 't'"),
            "select * from {schema}.outbox",
            "delete from {schema}.outbox",
            "truncate {schema}.outbox_0",
            "delete from {schema}.outbox_scheduled",
            "select * from {schema}.outbox_scheduled",
            "insert into {schema}.outbox_0 (lane, id, destination, type) values (0,"
                + " gen_random_uuid(), 'k', 't')",
            "select setval('{schema}.outbox_position', 1)",
            "update {schema}.outbox_broker set lanes = 1",
            "select * from {schema}.outbox_lane_log",
            "select * from {schema}.inbox",
            "select {schema}.inbox_drop_day()",
            "create table {schema}.mine (id int)",
            "drop table {schema}.outbox_audit")) {
      assertRefused(producer, forbidden);
    }
  }

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void aRelayCanReadMoveAndTruncateButOwnsNothing(PostgresVersion version) throws SQLException {
    TestDatabase database = migrated(version);
    String role = role(database);
    migrations.grantRelay(database.dataSource(), role);
    DataSource relay = database.dataSource(role);

    for (String needed :
        List.of(
            insert("lane, id, destination, type", "0, gen_random_uuid(), 'kafka:a', 't'"),
            "select count(*) from {schema}.outbox",
            "select last_value - (not is_called)::int from {schema}.outbox_position",
            "select * from {schema}.outbox_lane_state",
            "insert into {schema}.outbox_lane_log select lane, seq + 1, 'x', owner, claim_id,"
                + " epoch, lease_until, window_number, done, target, floor, next_floor, ceiling,"
                + " cursor_position, ahead from {schema}.outbox_lane_log",
            "delete from {schema}.outbox_lane_log where seq = 0",
            "insert into {schema}.outbox_relay (relay, alive_until, brokers) values ('r', now(),"
                + " '{}')",
            "update {schema}.outbox_relay set alive_until = now()",
            "delete from {schema}.outbox_scheduled",
            "delete from {schema}.outbox_parked",
            "delete from {schema}.outbox_dead_letter",
            "delete from {schema}.outbox_dedup",
            "select system_identifier from pg_control_system()",
            "select * from {schema}.outbox_cluster",
            "insert into {schema}.outbox_audit (done_by, action, selection, affected) values ('a',"
                + " 'b', 'c', 1)",
            "begin; lock table {schema}.outbox in access exclusive mode; truncate {schema}.outbox,"
                + " {schema}.outbox_restamp; select setval('{schema}.outbox_position', 9),"
                + " setval('{schema}.outbox_dead_letter_number_seq', 9),"
                + " setval('{schema}.outbox_scheduled_number_seq', 9),"
                + " setval('{schema}.outbox_audit_number_seq', 9); update {schema}.outbox_cluster"
                + " set doubted_at = null; commit",
            "insert into {schema}.qrtz_locks values ('s', 'l')",
            "delete from {schema}.qrtz_fired_triggers",
            "begin; lock table only {schema}.outbox_1 in access exclusive mode nowait;"
                + " truncate only {schema}.outbox_1; commit")) {
      Sql.run(relay, needed.replace("{schema}", quoted()));
    }
    for (String forbidden :
        List.of(
            "drop table {schema}.outbox_0",
            "create table {schema}.mine (id int)",
            "delete from {schema}.outbox_audit",
            "select * from {schema}.inbox",
            "update {schema}.schema_version set version = 9")) {
      assertRefused(relay, forbidden);
    }
  }

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void aConsumerCanRecordAndCallUpkeepButOwnsNothing(PostgresVersion version) throws SQLException {
    TestDatabase database = migrated(version);
    String role = role(database);
    migrations.grantConsumer(database.dataSource(), role);
    DataSource consumer = database.dataSource(role);

    for (String needed :
        List.of(
            "insert into {schema}.inbox_consumer (consumer, refuses_from, kept_from)"
                + " select 'billing', clock_timestamp() - horizon, closed_before"
                + " from {schema}.inbox_retention on conflict do nothing",
            "insert into {schema}.inbox (message_id, consumer_id) values (gen_random_uuid(), 1)"
                + " on conflict do nothing returning message_id",
            "insert into {schema}.inbox_failure (consumer_id, message_id, attempts) values (1,"
                + " gen_random_uuid(), 1)",
            "update {schema}.inbox_failure set attempts = 2",
            "delete from {schema}.inbox_failure",
            "select {schema}.inbox_make_days(5)",
            "select {schema}.inbox_close_days()",
            "select {schema}.inbox_drop_day()",
            "select {schema}.inbox_purge(10)",
            "update {schema}.inbox_dead_letter set discarded_at = clock_timestamp()",
            "insert into {schema}.inbox_redrive (consumer_id, requested_by, per_second, selected)"
                + " values (1, 'ops', 1, 0)",
            "insert into {schema}.inbox_audit (done_by, action, selection, affected)"
                + " values ('ops', 'discard', 'all', 0)",
            "select max(version) from {schema}.schema_version")) {
      Sql.run(consumer, needed.replace("{schema}", quoted()));
    }
    for (String forbidden :
        List.of(
            "update {schema}.inbox_retention set horizon = '1 day'",
            "truncate {schema}.inbox",
            "delete from {schema}.inbox",
            "update {schema}.inbox set consumer_id = 2",
            "update {schema}.inbox_audit set done_by = 'somebody else'",
            "delete from {schema}.inbox_audit",
            "drop table {schema}.inbox_old",
            "select * from {schema}.outbox",
            insert("lane, id, destination, type", "0, gen_random_uuid(), 'k', 't'"))) {
      assertRefused(consumer, forbidden);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"public", "none", "", "a\"; drop schema public; --", "a'b", "a\u0000b"})
  void aHostileRoleIsRefused(String role) {
    DataSource unused = TestPostgres.shared().dataSource();
    assertThatThrownBy(() -> migrations.grantProducer(unused, role))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("The role");
  }

  @ParameterizedTest
  @ValueSource(strings = "no_such_role")
  void anUnknownRoleIsNamed(String role) {
    TestDatabase database = migrated(PostgresVersion.V18);
    assertThatThrownBy(() -> migrations.grantRelay(database.dataSource(), role))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no_such_role");
  }

  private TestDatabase migrated(PostgresVersion version) {
    TestDatabase database = TestPostgres.shared(version).createDatabase();
    migrations.applyTo(database.dataSource());
    return database;
  }

  /** Roles belong to the whole server, so each test makes one; its name needs quotes. */
  private static String role(TestDatabase database) throws SQLException {
    String role = "App-" + UUID.randomUUID();
    Sql.run(database.dataSource(), "create role \"" + role + "\" login");
    return role;
  }

  private static void assertRefused(DataSource role, String sql) {
    assertThatThrownBy(() -> Sql.run(role, sql.replace("{schema}", quoted())))
        .as(sql)
        .isInstanceOfSatisfying(
            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("42501"));
  }

  private static String insert(String columns, String values) {
    return "insert into %s.outbox (%s) values (%s)".formatted(quoted(), columns, values);
  }

  private static String quoted() {
    return '"' + SCHEMA + '"';
  }

  private static String privileges(String role) {
    return """
    select table_name || ' ' || privilege_type || ' ' || coalesce(column_name, '') as p from (
      select table_name, privilege_type, null as column_name
      from information_schema.table_privileges where grantee = '%1$s'
      union select table_name, privilege_type, column_name
      from information_schema.column_privileges where grantee = '%1$s'
      union select object_name, privilege_type, null
      from information_schema.usage_privileges where grantee = '%1$s') granted order by 1
    """
        .formatted(role);
  }
}
