package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.doctor.Doctor;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.Thresholds;
import dev.twinbox.relay.status.Verdict;
import dev.twinbox.relay.status.Verdict.Cause;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A relay whose role, server or tables are set up as nobody expects. */
class RelayEnvironmentTest {
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final DrainSettings SETTINGS =
      DrainSettings.DEFAULTS.withLease(Duration.ofSeconds(10));

  private static final List<String> DEFAULTS =
      List.of(
          "default_transaction_isolation = 'serializable'",
          "default_transaction_read_only = on",
          "default_transaction_deferrable = on",
          "statement_timeout = '2s'",
          "lock_timeout = '2s'",
          "idle_in_transaction_session_timeout = '2s'",
          "transaction_timeout = '2s'",
          "search_path = ''",
          "timezone = 'Asia/Kolkata'",
          "datestyle = 'German'",
          "intervalstyle = 'sql_standard'",
          "bytea_output = 'escape'",
          "standard_conforming_strings = off",
          "extra_float_digits = -10",
          "row_security = off",
          "quote_all_identifiers = on",
          "plan_cache_mode = 'force_custom_plan'",
          "jit = on",
          "synchronous_commit = off");

  private final OutboxDatabase database = new OutboxDatabase(100, 4);
  private final Outbox outbox = Outbox.builder().source("/test").build();
  private final MemoryBroker broker = new MemoryBroker();
  private final String role = "relay_" + database.database().name();

  @AfterEach
  void close() {
    broker.close();
    database.close();
  }

  @Test
  void aRelayWithHostileDefaultsDoesAllItsWorkAndLeavesSerializableProducersAlone()
      throws Exception {
    database.execute("update twinbox.outbox_retention set archive = interval '7 days'");
    grant();
    for (String each : DEFAULTS) {
      database.execute("alter role %s set %s".formatted(role, each));
    }
    try (HikariDataSource pool = pool();
        Connection observer = database.begin()) {
      // Keeps what others have locked by reading, also after their commit.
      observer.createStatement().execute("set transaction isolation level serializable");
      observer.createStatement().executeQuery("select count(*) from pg_class");
      database.insert(observer, 0, "open");
      try (Relay relay = start(pool)) {
        List<UUID> ids = enqueue(250);
        database.execute(
            "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, type)"
                + " values (clock_timestamp(), gen_random_uuid(), 'kafka', 0, 'kafka:a', 't')");

        await().atMost(SOON).until(() -> broker.count() >= 251);
        await()
            .atMost(SOON)
            .until(() -> database.number("select count(*) from twinbox.outbox_archive") >= 90);
        Status status = relay.status();
        assertThat(status.relays()).hasSize(1);
        assertThat(status.upkeep()).isEmpty();
        assertThat(relay.health().problems()).isEmpty();
        assertThat(DeadLetterQueue.in(pool, "twinbox").audit(5)).isEmpty();
        assertThat(new Doctor().outbox(pool, OutboxDatabase.TABLES).examine(List.of()).refusals())
            .isEmpty();
        await()
            .atMost(SOON)
            .until(() -> database.number("select count(*) from twinbox.outbox_sample") > 0);
        assertThat(broker.kept()).extracting(OutboxRecord::id).containsAll(ids).hasSize(251);
        assertThat(lockedByReading(observer)).as("predicate locks of the relay").isZero();
      }
      observer.rollback();
      try (Connection lent = pool.getConnection();
          Statement statement = lent.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "select current_setting('transaction_isolation'),"
                      + " current_setting('statement_timeout')")) {
        row.next();
        assertThat(row.getString(1))
            .as("the pool's connections are as they were")
            .isEqualTo("serializable");
        assertThat(row.getString(2)).isEqualTo("2s");
      }
    }
  }

  @Test
  void aLeafIsArchivedAndEmptiedHoweverShortTheRolesLimitsAre() throws SQLException {
    database.execute(
        "update twinbox.outbox_retention set archive = interval '7 days'; create function"
            + " twinbox.slow() returns trigger language plpgsql as 'begin perform pg_sleep(1.5);"
            + " return null; end'; create trigger slow before insert on twinbox.outbox_archive for"
            + " each statement execute function twinbox.slow(); select"
            + " twinbox.outbox_archive_make_days(2)");
    grant();
    database.execute("alter role %s set statement_timeout = '1s'".formatted(role));
    database.execute("alter role %s set transaction_timeout = '1s'".formatted(role));
    try (HikariDataSource pool = pool();
        Relay relay = start(pool)) {
      enqueue(150);
      await().atMost(SOON).until(() -> broker.count() == 150);

      await()
          .atMost(SOON)
          .until(() -> database.number("select count(*) from twinbox.outbox_archive") > 0);

      await()
          .atMost(SOON)
          .until(() -> database.number("select count(*) from twinbox.outbox") < 100);
      assertThat(relay.status().upkeep()).isEmpty();
    }
  }

  @Test
  void aRelayWorksUnderAPublicationOfAllTables() throws SQLException {
    database.execute("create publication everything for all tables");
    try (Relay relay = start(database.pool(12))) {
      enqueue(20);
      await().atMost(SOON).until(() -> broker.count() == 20);
      await()
          .atMost(SOON)
          .until(() -> database.number("select count(*) from twinbox.outbox_sample") > 0);

      assertThat(relay.status().upkeep()).isEmpty();
    }
  }

  @Test
  void upkeepThatFailsIsAFindingAndCeasesToBeOne() throws SQLException {
    database.execute(
        "alter table twinbox.outbox_sample replica identity nothing; create publication everything"
            + " for all tables");
    try (Relay relay = start(database.pool(12))) {
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(Verdict.of(relay.status(), Thresholds.DEFAULTS).causes())
                      .filteredOn(cause -> cause.code().equals("upkeep-failing"))
                      .singleElement()
                      .extracting(Cause::sentence)
                      .asString()
                      .contains("samples", "replica identity"));

      database.execute("alter table twinbox.outbox_sample replica identity full");

      await().atMost(SOON).until(() -> relay.status().upkeep().isEmpty());
    }
  }

  private long lockedByReading(Connection observer) throws SQLException {
    try (Statement statement = observer.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select count(*) from pg_locks where mode = 'SIReadLock' and pid <>"
                    + " pg_backend_pid() and database = (select oid from pg_database where datname"
                    + " = current_database())")) {
      row.next();
      return row.getLong(1);
    }
  }

  private void grant() throws SQLException {
    database.execute("create role %s login".formatted(role));
    Migrations.defaults().grantRelay(database.dataSource(), role);
  }

  private HikariDataSource pool() {
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.database().dataSource(role));
    config.setMaximumPoolSize(12);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(10_000);
    return new HikariDataSource(config);
  }

  private Relay start(HikariDataSource pool) {
    return Relay.builder()
        .dataSource(pool)
        .broker(broker.borrowed())
        .settings(SETTINGS)
        .development()
        .build()
        .start();
  }

  private List<UUID> enqueue(int count) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    try (Connection producer = database.begin()) {
      for (int i = 0; i < count; i++) {
        ids.add(outbox.enqueue(producer, Message.to("kafka:a").key("k").type("t").json(i)).id());
        if (i % 10 == 9) {
          producer.commit();
        }
      }
      producer.commit();
    }
    return ids;
  }
}
