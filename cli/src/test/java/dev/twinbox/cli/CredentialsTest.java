package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.Broker;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.relay.MemoryBroker;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Credentials that are rotated while a relay runs. */
class CredentialsTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir Path folder;

  @Test
  void aRelayReconnectsWithWhatThePasswordFileSaysThen() throws Exception {
    Path access = Files.createTempFile("pg_hba", ".conf");
    Files.setPosixFilePermissions(access, PosixFilePermissions.fromString("rw-r--r--"));
    Files.writeString(
        access, "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
    Path password = folder.resolve("password");
    Files.writeString(password, "first\n");
    try (TestPostgres server =
            TestPostgres.builder().setting("hba_file", access.toString()).start();
        OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 1_000, 4);
        MemoryBroker broker = new MemoryBroker()) {
      database.execute("create role relay login password 'first'");
      Migrations.defaults().grantRelay(database.dataSource(), "relay");
      Settings settings =
          Settings.of(
              Map.of(
                  Settings.DB_URL, database.database().jdbcUrl(),
                  Settings.DB_USER, "relay",
                  Settings.DB_PASSWORD_FILE, password.toString()),
              Map.of(),
              null);
      try (HikariDataSource pool = Database.connect(settings, 8);
          Relay relay =
              Relay.builder()
                  .dataSource(pool)
                  .broker(broker.borrowed())
                  .lease(Duration.ofSeconds(2))
                  .build()
                  .start()) {
        database.commitOne(0, "k");
        await().atMost(SOON).until(() -> broker.count() == 1);

        database.execute("alter role relay password 'second'");
        database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'relay'");
        await().atMost(SOON).until(() -> relay.heldLanes().isEmpty());
        Files.writeString(password, "second\n");

        database.commitOne(0, "k");
        await().atMost(SOON).until(() -> broker.count() == 2);
      }
    } finally {
      Files.delete(access);
    }
  }

  @Test
  void theConfigurationFileIsReadAnewForEachConnectionToo() throws IOException {
    Path file = folder.resolve("relay.properties");
    Files.writeString(file, "db.url=jdbc:postgresql://127.0.0.1:1/a\ndb.user=a\n");
    Logins logins = new Logins(() -> Settings.of(Map.of(), Map.of(), file));
    assertThatThrownBy(logins::getConnection).hasMessageContaining("127.0.0.1:1");

    Files.writeString(
        file,
        "db.url=%s\ndb.user=postgres\n"
            .formatted(TestPostgres.shared().createDatabase().jdbcUrl()));

    assertThatCode(() -> logins.getConnection().close()).doesNotThrowAnyException();
  }

  @Test
  void aBrokersPropertiesAreAskedForAnewForEachPublisher() {
    AtomicReference<Map<String, String>> properties =
        new AtomicReference<>(Map.of("bootstrap.servers", "127.0.0.1:1"));
    try (Broker kafka = Brokers.make("kafka", properties::get)) {
      assertThatCode(() -> kafka.open(0).close()).doesNotThrowAnyException();
      properties.set(Map.of("bootstrap.servers", "127.0.0.1:1", "acks", "1"));
      assertThatThrownBy(() -> kafka.open(0)).hasMessageContaining("acks");
    }
  }
}
