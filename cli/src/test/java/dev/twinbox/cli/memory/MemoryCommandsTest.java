package dev.twinbox.cli.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.cli.MoreCommands;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.testkit.JavaProcess;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that nothing in Twinbox names is enqueued to, relayed to, examined and measured. */
class MemoryCommandsTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir Path folder;

  private final MemoryServer server = new MemoryServer();
  private final TestDatabase database = TestPostgres.shared().createDatabase();

  @BeforeEach
  void prepare() {
    Migrations.apply(database.dataSource());
    server.create("orders");
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void aRelayFindsTheBrokerByItsOptionAndStatusMeasuresItsGroup() throws Exception {
    try (JavaProcess relay =
        JavaProcess.of(MoreCommands.CLI_PROCESS, folder.resolve("relay.log"))
            .arguments("relay", "--memory-port", port(), "--lease", "5")
            .environment(
                Map.of("TWINBOX_DB_URL", database.jdbcUrl(), "TWINBOX_DB_USER", database.user()))
            .start()) {
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> assertThat(lanes()).as("%s", relayLog()).isPositive());
      for (int i = 0; i < 20; i++) {
        enqueue("memory:orders", "k" + i % 3);
      }
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () -> assertThat(server.size("orders")).as("%s", relayLog()).isEqualTo(20));
      assertThat(relay.isRunning()).isTrue();
    }

    assertThat(server.read("orders", 0, 100)).extracting(Remotely.Kept::id).hasSize(20);
    server.settle("billing", server.join("billing"), "orders", 15);
    Path file = Files.writeString(folder.resolve("twinbox.properties"), "memory.port=" + port());
    String status =
        MoreCommands.out(
            "status",
            "--json",
            "--config",
            file.toString(),
            "--db-url",
            database.jdbcUrl(),
            "--db-user",
            database.user(),
            "--group",
            "memory:billing",
            "--topic",
            "orders");
    JsonNode lag = JsonMapper.builder().build().readTree(status).get("consumers").get(0);
    assertThat(lag.get("lag").asInt()).as(status).isEqualTo(5);
    assertThat(lag.get("consumer").asText()).isEqualTo("memory:billing");
  }

  @Test
  void theDoctorHasItsFindingsAndRefusesWhatIsNoAddress() {
    String missing =
        MoreCommands.out("doctor", "--memory-port", port(), "--destination", "memory:nowhere");
    assertThat(missing).contains("memory-topic-missing", "memory:nowhere");
    assertThat(
            MoreCommands.out("doctor", "--memory-port", port(), "--destination", "memory:orders"))
        .contains("exists");
    assertThat(MoreCommands.err("doctor", "--destination", "memory:No Topic"))
        .contains("--destination", "a topic is 1 to 64 of a-z, 0-9 and '-'");
    assertThat(
            MoreCommands.err(
                "relay",
                "--memory-port",
                "none",
                "--db-url",
                database.jdbcUrl(),
                "--db-user",
                database.user()))
        .contains("port is 'none'");
  }

  private String relayLog() throws IOException {
    return Files.readString(folder.resolve("relay.log"));
  }

  private String port() {
    return Integer.toString(server.port());
  }

  private void enqueue(String destination, String key) throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      Outbox.builder()
          .source("/shop")
          .build()
          .enqueue(connection, Message.to(destination).key(key).type("order.placed").text("x"));
      connection.commit();
    }
  }

  private int lanes() throws Exception {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select count(*) from twinbox.outbox_broker where broker = 'memory'")) {
      rows.next();
      return rows.getInt(1);
    }
  }
}
