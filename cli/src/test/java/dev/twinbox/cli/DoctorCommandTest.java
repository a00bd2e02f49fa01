package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {
  private static final String BOUNDED =
      "alter database %s set idle_in_transaction_session_timeout = '10min'";

  @Tag("essential")
  @Test
  void aHealthyDatabaseExitsWithZero() throws SQLException {
    TestDatabase database = migrated();
    execute(database, BOUNDED.formatted(database.name()));
    Ran ran = doctor(database);
    assertThat(ran.out()).contains("0 dangers, 0 warnings, 0 unknown", "all is well");
    assertThat(ran.exitCode()).as(ran.out()).isZero();
  }

  @Tag("essential")
  @Test
  void aWarningExitsWithOne() {
    Ran ran = doctor(migrated());
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.out()).contains("idle-transactions-unlimited", "risk", "remedy", "1 warnings");
  }

  @Test
  void aDangerExitsWithTwoAndComesFirst() throws SQLException {
    TestDatabase database = migrated();
    execute(database, "alter sequence twinbox.outbox_position cache 20");
    Ran ran = doctor(database);
    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(ran.out()).startsWith("danger").contains("sequence-changed", "cache 20");
  }

  @Tag("essential")
  @Test
  void jsonHasEveryFindingWithCodeValueRiskAndRemedy() throws SQLException, IOException {
    TestDatabase database = migrated();
    execute(database, "alter sequence twinbox.outbox_position cache 20");
    Ran ran = doctor(database, "--json");
    JsonNode report = JsonMapper.builder().build().readTree(ran.out());
    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(report.get("verdict").asText()).isEqualTo("danger");
    assertThat(report.get("exitCode").asInt()).isEqualTo(2);
    JsonNode first = report.get("findings").get(0);
    assertThat(first.get("code").asText()).isEqualTo("sequence-changed");
    assertThat(first.get("severity").asText()).isEqualTo("danger");
    for (String field : new String[] {"subject", "value", "risk", "remedy"}) {
      assertThat(first.get(field).asText()).isNotBlank();
    }
  }

  @Test
  void aDatabaseThatDoesNotAnswerIsUnknownAndNotFine() {
    Ran ran = Ran.twinbox("doctor", "--db-url", "jdbc:postgresql://127.0.0.1:1/nobody");
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.out()).contains("database-unreachable", "127.0.0.1:1");
  }

  @Test
  void settingsThatTheRelayWouldRefuseAreDangers(@TempDir Path folder) throws IOException {
    Path config =
        Files.writeString(
            folder.resolve("c.properties"), "kafka.bootstrap.servers=127.0.0.1:1\nkafka.acks=1\n");
    Ran ran = Ran.twinbox("doctor", "--config", config.toString(), "--destination", "kafka:orders");
    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(ran.out()).contains("client-setting", "acks=1");
  }

  @Test
  void noSecretIsShown(@TempDir Path folder) throws IOException {
    Path config =
        Files.writeString(
            folder.resolve("c.properties"),
            """
            rabbitmq.uri=amqp://user:hunter2@127.0.0.1:1
            rabbitmq.management.uri=http://admin:hunter3@127.0.0.1:1
            kafka.bootstrap.servers=127.0.0.1:1
            kafka.security.protocol=SASL_PLAINTEXT
            kafka.sasl.mechanism=PLAIN
            kafka.sasl.jaas.config=no.such.Module required password="hunter4";
            """);
    for (String format : new String[] {"--verbose", "--json"}) {
      Ran ran =
          Ran.twinbox(
              "doctor",
              format,
              "--config",
              config.toString(),
              "--destination",
              "rabbitmq:shop/order",
              "--destination",
              "kafka:orders");
      assertThat(ran.exitCode()).isEqualTo(1);
      assertThat(ran.out()).contains("not-readable");
      assertThat(ran.out() + ran.err()).doesNotContain("hunter");
    }
  }

  @Test
  void aPasswordOnTheCommandLineIsRefusedAndNotRepeated() {
    Ran ran = Ran.twinbox("doctor", "--rabbitmq-management-uri", "http://a:hunter2@h:15672");
    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(ran.err()).contains("not accepted on the command line").doesNotContain("hunter2");
  }

  @Test
  void aGroupWithoutTopicsAndAMalformedDestinationAreUsageErrors() {
    assertThat(Ran.twinbox("doctor", "--group", "billing").err()).contains("--topic");
    Ran ran = Ran.twinbox("doctor", "--destination", "orders");
    assertThat(ran.exitCode()).isEqualTo(2);
    assertThat(ran.err()).contains("--destination", "orders");
  }

  private static Ran doctor(TestDatabase database, String... more) {
    return Ran.twinbox(
        Stream.concat(
                Stream.of("doctor", "--db-url", database.jdbcUrl(), "--db-user", database.user()),
                Stream.of(more))
            .toArray(String[]::new));
  }

  private static TestDatabase migrated() {
    TestDatabase database = TestPostgres.shared().createDatabase();
    dev.twinbox.migrations.Migrations.apply(database.dataSource());
    return database;
  }

  private static void execute(TestDatabase database, String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
