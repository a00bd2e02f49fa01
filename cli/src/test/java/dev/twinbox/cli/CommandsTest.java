package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("essential")
class CommandsTest {
  private static final String NOBODY = "jdbc:postgresql://127.0.0.1:1/nobody";

  @Test
  void anUnknownOptionIsAUsageErrorThatDoesNotRepeatItsValue() {
    Ran ran = Ran.twinbox("status", "--db-pasword=hunter2");
    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(ran.err()).contains("Unknown option: --db-pasword").contains("Usage:");
    assertThat(ran.err() + ran.out()).doesNotContain("hunter2");
  }

  @Test
  void anUnknownCommandIsAUsageError() {
    Ran ran = Ran.twinbox("relays");
    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(ran.err()).contains("no command 'relays'").contains("migrate", "status");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "status --password hunter2",
        "status --password=hunter2",
        "migrate --db-password hunter2",
        "status --db-url jdbc:postgresql://h/d?user=a&password=hunter2",
        "relay --rabbitmq-uri amqp://user:hunter2@h",
      })
  void aPasswordOnTheCommandLineIsRefusedAndNotRepeated(String arguments) {
    Ran ran = Ran.twinbox(arguments.split(" "));
    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(ran.err()).contains("not accepted on the command line").contains("TWINBOX_");
    assertThat(ran.err() + ran.out()).doesNotContain("hunter2");
  }

  @Test
  void anErrorIsOneSentenceWithoutAStackTrace() {
    Ran ran = Ran.twinbox("status", "--db-url", NOBODY);
    assertThat(ran.exitCode()).isEqualTo(3);
    assertThat(ran.err()).hasLineCount(1).contains("No connection to the database", "127.0.0.1:1");
    assertThat(Ran.twinbox("status", "--verbose", "--db-url", NOBODY).err()).contains("\tat ");
  }

  @Test
  void aPasswordInAnAddressThatIsMalformedIsNotShown(@TempDir Path folder) throws IOException {
    TestDatabase database = TestPostgres.shared().createDatabase();
    Path config =
        Files.writeString(
            folder.resolve("c.properties"), "rabbitmq.uri=amqp://user:hunter2 @host\n");
    Ran ran = Ran.twinbox(with(database, "relay", "--verbose", "--config", config.toString()));
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.err()).contains("rabbitmq.uri is no AMQP address").doesNotContain("hunter2");
  }

  @Test
  void aMissingDatabaseIsExplained() {
    assertThat(Ran.twinbox("status").err())
        .contains("--db-url", "TWINBOX_DB_URL", "db.url")
        .hasLineCount(1);
  }

  @Test
  void migrateAppliesOnceAndStatusWithoutItSaysSo() {
    TestDatabase database = TestPostgres.shared().createDatabase();
    Ran before = Ran.twinbox(with(database, "status"));
    assertThat(before.exitCode()).isEqualTo(3);
    assertThat(before.err()).contains("bin/twinbox migrate");

    assertThat(Ran.twinbox(with(database, "migrate")).out()).contains("is now at version");
    assertThat(Ran.twinbox(with(database, "migrate")).out()).contains("up to date");
  }

  @Test
  void migratePrintsSqlForASchemaWithoutADatabase() {
    Ran ran =
        Ran.twinbox(
            "migrate", "--print", "--schema", "mail", "--ring-chunk=500", "--ring-leaves=3");
    assertThat(ran.exitCode()).isZero();
    assertThat(ran.out()).contains("create table \"mail\".outbox", "position / 500) % 3");
    assertThat(Ran.twinbox("migrate", "--print", "--ring-leaves=1").exitCode()).isEqualTo(2);
  }

  @Test
  void grantLetsARoleEnqueue() throws SQLException {
    TestDatabase database = migrated();
    String role = "shop_" + UUID.randomUUID().toString().substring(0, 8);
    execute(database, "create role " + role + " login");
    assertThat(Ran.twinbox(with(database, "grant", "--producer", role)).exitCode()).isZero();
    try (Connection connection = database.dataSource(role).getConnection()) {
      connection.setAutoCommit(false);
      Outbox.builder().source("/t").build().enqueue(connection, message(1));
      connection.commit();
    }
    assertThat(Ran.twinbox(with(database, "grant")).exitCode()).isEqualTo(2);
  }

  @Test
  void statusCountsWhatWaitsAndEstimatesLargeBacklogs() throws SQLException, IOException {
    TestDatabase database = migrated();
    enqueue(database, 300);
    JsonNode few = status(database);
    assertThat(few.get("schemaVersion").asInt()).isPositive();
    JsonNode kafka = broker(few, "kafka");
    assertThat(kafka.get("waiting").asInt()).isEqualTo(300);
    assertThat(kafka.get("waitingIsEstimated").asBoolean()).isFalse();
    assertThat(kafka.get("oldestWaitingSeconds").asDouble()).isBetween(0.0, 600.0);
    assertThat(broker(few, "rabbitmq").get("oldestWaitingSeconds").isNull()).isTrue();
    assertThat(few.get("lanes")).hasSize(8);

    enqueue(database, 99_700);
    JsonNode many = broker(status(database), "kafka");
    assertThat(many.get("waitingIsEstimated").asBoolean()).isTrue();
    assertThat(many.get("waiting").asInt()).isBetween(90_000, 110_000);
    assertThat(Ran.twinbox(with(database, "status")).out()).contains("about", "kafka", "LANE");
  }

  @Test
  void statusShowsDeadLettersByCauseAndWhatIsScheduled() throws SQLException, IOException {
    TestDatabase database = migrated();
    execute(
        database,
        "insert into twinbox.outbox_dead_letter (lane, position, id, created_at, destination, type,"
            + " reason, attempts, first_failed_at) select 0, n, gen_random_uuid(), now(),"
            + " 'kafka:orders', 't', 'too-large', 1, now() from generate_series(1, 7) n");
    execute(
        database,
        "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, type) values"
            + " (now() + interval '1 hour', gen_random_uuid(), 'kafka', 0, 'kafka:orders', 't')");
    JsonNode status = status(database);
    JsonNode dead = status.get("deadLetters").get(0);
    assertThat(dead.get("destination").asText()).isEqualTo("kafka:orders");
    assertThat(dead.get("reason").asText()).isEqualTo("too-large");
    assertThat(dead.get("count").asInt()).isEqualTo(7);
    assertThat(status.get("scheduled").get("count").asInt()).isEqualTo(1);
  }

  private static TestDatabase migrated() {
    TestDatabase database = TestPostgres.shared().createDatabase();
    assertThat(Ran.twinbox(with(database, "migrate")).exitCode()).isZero();
    return database;
  }

  private static String[] with(TestDatabase database, String... arguments) {
    return Stream.concat(
            Stream.of(arguments),
            Stream.of("--db-url", database.jdbcUrl(), "--db-user", database.user()))
        .toArray(String[]::new);
  }

  private static Message message(int n) {
    return Message.to("kafka:orders").key("k" + n).type("t").text("x");
  }

  private static void enqueue(TestDatabase database, int messages) throws SQLException {
    List<Message> all = IntStream.range(0, messages).mapToObj(CommandsTest::message).toList();
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      Outbox.builder().source("/t").build().enqueueAll(connection, all);
      connection.commit();
    }
  }

  private static void execute(TestDatabase database, String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static JsonNode status(TestDatabase database) throws IOException {
    Ran ran = Ran.twinbox(with(database, "status", "--json"));
    assertThat(ran.err()).isEmpty();
    return JsonMapper.builder().build().readTree(ran.out());
  }

  private static JsonNode broker(JsonNode status, String name) {
    for (JsonNode broker : status.get("brokers")) {
      if (broker.get("broker").asText().equals(name)) {
        return broker;
      }
    }
    throw new AssertionError("No " + name + " in " + status);
  }
}
