package dev.twinbox.relay.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
  @TempDir Path folder;

  @Test
  void anOptionGoesBeforeTheEnvironmentAndThatBeforeTheFile() throws IOException {
    Path file =
        file(
            """
            db.url=jdbc:postgresql://file/d
            db.user=file
            schema=file
            kafka.bootstrap.servers=file:9092
            """);
    Settings settings =
        Settings.of(
            Map.of("schema", "flag"),
            Map.of("TWINBOX_SCHEMA", "environment", "TWINBOX_DB_USER", "environment"),
            file);
    assertThat(settings.schema()).isEqualTo("flag");
    assertThat(settings.get(Settings.DB_USER)).isEqualTo("environment");
    assertThat(settings.get(Settings.DB_URL)).isEqualTo("jdbc:postgresql://file/d");
  }

  @Test
  void brokersComeFromAllThreeWithTheirClientsProperties() throws IOException {
    Path file =
        file(
            """
            kafka.linger.ms=7
            kafka@billing.bootstrap.servers=billing:9092
            rabbitmq@eu.uri=amqp://eu
            """);
    Settings settings =
        Settings.of(
            Map.of("rabbitmq.uri", "amqp://flag"),
            Map.of(
                "TWINBOX_KAFKA_BOOTSTRAP_SERVERS", "environment:9092",
                "TWINBOX_RABBITMQ_MANAGEMENT", "http://testkit"),
            file);
    assertThat(settings.brokers())
        .isEqualTo(
            Map.of(
                "kafka", Map.of("linger.ms", "7", "bootstrap.servers", "environment:9092"),
                "kafka@billing", Map.of("bootstrap.servers", "billing:9092"),
                "rabbitmq", Map.of("uri", "amqp://flag"),
                "rabbitmq@eu", Map.of("uri", "amqp://eu")));
  }

  @Test
  void aPasswordFileThatIsNearerGoesBeforeThePasswordInTheConfiguration() throws IOException {
    Path file = file("db.password=old\n");
    Settings settings = Settings.of(Map.of("db.password-file", "new"), Map.of(), file);
    assertThat(settings.get(Settings.DB_PASSWORD)).isNull();
  }

  @Test
  void anUnknownKeyIsNamedWithoutItsValue() throws IOException {
    Path file = file("db.passwort=hunter2\n");
    assertThatThrownBy(() -> Settings.of(Map.of(), Map.of(), file))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("'db.passwort'")
        .hasMessageContaining("db.password-file")
        .hasMessageNotContaining("hunter2");
  }

  @Test
  void secretsAreKnownByNameAndInsideAddresses() {
    Settings settings =
        Settings.of(
            Map.of(
                "db.url", "jdbc:postgresql://h/d?user=a&password=inUrl",
                "rabbitmq.uri", "amqp://user:in%20Uri@h/vhost",
                "kafka.sasl.jaas.config", "jaas",
                "kafka.bootstrap.servers", "k:9092",
                "db.password", "direct"),
            Map.of(),
            null);
    assertThat(settings.secrets()).containsOnly("inUrl", "in%20Uri", "jaas", "direct");
    assertThat(settings.toString()).doesNotContain("inUrl", "in%20Uri", "jaas\"", "direct");
    assertThat(Secrets.hide("login as a/inUrl failed", settings.secrets()))
        .isEqualTo("login as a/*** failed");
  }

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("twinbox.properties"), content);
  }
}
