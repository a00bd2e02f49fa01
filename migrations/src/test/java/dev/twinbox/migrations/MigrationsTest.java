package dev.twinbox.migrations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.testkit.PostgresVersion;
import dev.twinbox.testkit.TestPostgres;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class MigrationsTest {
  private static final String SCHEMA = "Twin-Box 2";

  @Tag("essential")
  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void everyTableComesUp(PostgresVersion version) throws SQLException {
    DataSource database = database(version);

    MigrationResult result = Migrations.apply(database);

    assertThat(result).isEqualTo(new MigrationResult("twinbox", 7, "7"));
    assertThat(tables(database, "twinbox"))
        .contains(
            "outbox",
            "outbox_0",
            "outbox_7",
            "outbox_lane",
            "outbox_scheduled",
            "outbox_parked",
            "outbox_dead_letter",
            "outbox_dedup",
            "outbox_audit",
            "outbox_sample",
            "outbox_upkeep",
            "inbox",
            "inbox_old",
            "inbox_future",
            "inbox_foreign",
            "inbox_failure",
            "inbox_dead_letter",
            "inbox_consumer",
            "qrtz_triggers",
            "qrtz_locks",
            Migrations.HISTORY_TABLE)
        .doesNotContain("outbox_8");
    assertThat(Sql.list(database, "select version from twinbox.schema_version order by 1"))
        .containsExactly("1", "2", "3", "4", "5", "6", "7");
  }

  @Tag("essential")
  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void aSecondApplyDoesNothing(PostgresVersion version) throws SQLException {
    DataSource database = database(version);
    Migrations.apply(database);
    List<String> before = Sql.shape(database, "twinbox");

    MigrationResult second = Migrations.apply(database);

    assertThat(second).isEqualTo(new MigrationResult("twinbox", 0, "7"));
    assertThat(Sql.shape(database, "twinbox")).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void theUsersOwnFlywayHistoryIsLeftAlone(PostgresVersion version) throws SQLException {
    DataSource database = database(version);
    Flyway users = Flyway.configure().dataSource(database).locations("classpath:users").load();
    users.migrate();
    List<String> before = Sql.shape(database, "public");

    Migrations.apply(database);

    assertThat(Sql.list(database, "select script from public.flyway_schema_history order by 1"))
        .containsExactly("V1__orders.sql");
    assertThat(Sql.shape(database, "public")).isEqualTo(before);
    assertThat(users.migrate().migrationsExecuted).isZero();
    assertThat(users.validateWithResult().validationSuccessful).isTrue();
  }

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void aSchemaThatAlreadyHoldsTheUsersTablesTakesOurs(PostgresVersion version) throws SQLException {
    DataSource database = database(version);
    Sql.run(database, "create table orders (id int)");

    MigrationResult result = Migrations.defaults().schema("public").applyTo(database);

    assertThat(result.applied()).isEqualTo(7);
    assertThat(tables(database, "public")).contains("orders", "outbox", "inbox");
    assertThat(Migrations.defaults().schema("public").applyTo(database).applied()).isZero();
  }

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void aSchemaNameWithCapitalsHyphenAndSpaceWorks(PostgresVersion version) throws SQLException {
    DataSource database = database(version);

    Migrations.defaults().schema(SCHEMA).applyTo(database);

    assertThat(tables(database, SCHEMA)).contains("outbox", "inbox_foreign", "qrtz_locks");
    Sql.run(
        database,
        "insert into \"%s\".outbox (lane, id, destination, type) values (0, gen_random_uuid(), 'kafka:a', 't')"
            .formatted(SCHEMA));
    assertThat(Sql.one(database, "select position from \"%s\".outbox".formatted(SCHEMA)))
        .isEqualTo("1");
    assertThat(
            Sql.list(
                database,
                "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <>"
                    + " 'information_schema' order by 1"))
        .containsExactly(SCHEMA, "public");
  }

  /** Several times: the schema, the history table and the tables each are a race of their own. */
  @ParameterizedTest
  @CsvSource({"V14, 1", "V14, 2", "V14, 3", "V18, 1", "V18, 2", "V18, 3"})
  void oneMigratesAndTheOthersWait(PostgresVersion version, int round) throws Exception {
    DataSource database = database(version);
    int processes = 4;
    CyclicBarrier start = new CyclicBarrier(processes);
    ExecutorService threads = Executors.newFixedThreadPool(processes);
    try {
      List<Future<MigrationResult>> runs = new ArrayList<>();
      for (int i = 0; i < processes; i++) {
        runs.add(
            threads.submit(
                () -> {
                  start.await();
                  return Migrations.apply(database);
                }));
      }
      int applied = 0;
      for (Future<MigrationResult> run : runs) {
        applied += run.get(2, TimeUnit.MINUTES).applied();
      }
      assertThat(applied).as("round %s", round).isEqualTo(7);
      assertThat(Sql.list(database, "select version from twinbox.schema_version")).hasSize(7);
    } finally {
      threads.shutdownNow();
    }
  }

  @Tag("essential")
  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void theScriptGivesTheSameTables(PostgresVersion version) throws SQLException {
    Migrations migrations = Migrations.defaults().schema(SCHEMA).ring(500, 3);
    DataSource byFlyway = database(version);
    migrations.applyTo(byFlyway);
    DataSource byScript = database(version);

    Sql.run(byScript, migrations.sql());

    assertThat(Sql.shape(byScript, SCHEMA))
        .hasSizeGreaterThan(200)
        .isEqualTo(Sql.shape(byFlyway, SCHEMA));
    assertThat(migrations.sql()).doesNotContain("${");
  }

  @Tag("essential")
  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void chunksGoRoundTheRing(PostgresVersion version) throws SQLException {
    DataSource database = database(version);
    Migrations.defaults().ring(100, 3).applyTo(database);

    Sql.run(
        database,
        "insert into twinbox.outbox (lane, id, destination, type)"
            + " select 0, gen_random_uuid(), 'kafka:a', 't' from generate_series(1, 350)");

    assertThat(
            Sql.list(
                database,
                "select tableoid::regclass || ' ' || min(position) || ' ' || max(position) || ' '"
                    + " || count(*) from twinbox.outbox group by tableoid order by 1"))
        .containsExactly(
            "twinbox.outbox_0 1 350 150",
            "twinbox.outbox_1 100 199 100",
            "twinbox.outbox_2 200 299 100");
  }

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void thePositionsSequenceNeverCachesOrCycles(PostgresVersion version) throws SQLException {
    DataSource database = database(version);
    Migrations.apply(database);

    assertThat(
            Sql.one(
                database,
                "select seqincrement || ' ' || seqcache || ' ' || seqcycle from pg_sequence"
                    + " where seqrelid = 'twinbox.outbox_position'::regclass"))
        .isEqualTo("1 1 false");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a\"b",
        "a;drop schema public",
        "a'b",
        "",
        " a",
        "1a",
        "pg_catalog",
        "information_schema",
        "a.b",
        "a\u0000",
        "a\nb",
        "$a",
        "${schema}",
        "äääääääääääääääääääääääääääääääää"
      })
  void aHostileSchemaNameIsRefused(String name) {
    assertThatThrownBy(() -> Migrations.defaults().schema(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("The schema name")
        .hasMessageContaining("use letters, digits");
  }

  private static DataSource database(PostgresVersion version) {
    return TestPostgres.shared(version).createDatabase().dataSource();
  }

  private static List<String> tables(DataSource database, String schema) throws SQLException {
    return Sql.list(
        database, "select tablename from pg_tables where schemaname = '%s'".formatted(schema));
  }
}
