package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.relay.drain.RetryPolicies;
import dev.twinbox.relay.drain.RetryPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("essential")
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
            Map.of("TWINBOX_KAFKA_BOOTSTRAP_SERVERS", "environment:9092"),
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
  void retryPoliciesComeForAllAndForSingleDestinations() throws IOException {
    Path file =
        file(
            """
            retry.grace-period=10m
            retry.after-grace=wait
            retry.at.pay.destination=kafka:payments
            retry.at.pay.block-key-on-dead-letter=true
            retry.at.pay.max-attempts=3
            """);
    RetryPolicies policies =
        Settings.of(Map.of(), Map.of("TWINBOX_RETRY_MAX_ATTEMPTS", "7"), file).retries();
    RetryPolicy all =
        RetryPolicy.DEFAULTS
            .withMaxAttempts(7)
            .withGracePeriod(Duration.ofMinutes(10), RetryPolicy.AfterGrace.WAIT);
    assertThat(policies.of("kafka:orders")).isEqualTo(all);
    assertThat(policies.of("kafka:payments"))
        .isEqualTo(all.withMaxAttempts(3).withBlockKeyOnDeadLetter(true));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          retry.longest=4                    | retry.longest is '4'; write a number and ms, s, m or h
          retry.longest=1ms                  | choose 0 < first <= longest
          retry.max-attempts=0               | the smallest is 1
          retry.max-attempts=many            | choose a number from 1 on
          retry.after-grace=drop             | choose dead-letter or wait
          retry.block-key-on-dead-letter=yes | choose true or false
          retry.at.pay.max-attempts=3        | retry.at.pay.destination is missing
          """)
  void aPolicyThatMakesNoSenseIsNamedWithItsRemedy(String line, String complaint)
      throws IOException {
    Settings settings = Settings.of(Map.of(), Map.of(), file(line + "\n"));
    assertThatThrownBy(settings::retries)
        .isInstanceOf(CommandException.class)
        .hasMessageContaining(complaint);
  }

  @Test
  void rateLimitsComeUnderNamesOfTheirOwn() throws IOException {
    Path file =
        file(
            """
            rate.at.mail.destination = rabbitmq:shop/mail
            rate.at.mail.per-second = 0.5
            rate.at.order_1.destination=kafka:orders
            rate.at.order_1.per-second=200
            """);
    assertThat(Settings.of(Map.of(), Map.of(), file).rateLimits().perSecond())
        .isEqualTo(Map.of("rabbitmq:shop/mail", 0.5, "kafka:orders", 200.0));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          rate.at.a.per-second=3    |                            | rate.at.a.destination is missing
          rate.at.a.per-second=     | rate.at.a.destination=k:o  | rate.at.a.per-second is ''; choose a number
          rate.at.a.per-second=fast | rate.at.a.destination=k:o  | rate.at.a.per-second is 'fast'; choose a number
          rate.at.a.per-second=0    | rate.at.a.destination=k:o  | The rate limit of k:o is 0.0 messages a second
          rate.at.a.per-second=NaN  | rate.at.a.destination=k:o  | The rate limit of k:o is NaN messages a second
          """)
  void aRateLimitThatMakesNoSenseIsNamedWithItsRemedy(
      String line, @Nullable String second, String complaint) throws IOException {
    Settings settings =
        Settings.of(Map.of(), Map.of(), file(line + "\n" + (second == null ? "" : second)));
    assertThatThrownBy(settings::rateLimits)
        .isInstanceOf(CommandException.class)
        .hasMessageContaining(complaint);
  }

  @Test
  void anUnknownRetryVariableIsNamed() {
    assertThatThrownBy(() -> Settings.of(Map.of(), Map.of("TWINBOX_RETRY_ATTEMPTS", "7"), null))
        .hasMessageContaining("TWINBOX_RETRY_ATTEMPTS")
        .hasMessageContaining("max-attempts");
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
  void aKeyThatBeginsLikeNoneOfOursIsNotRepeatedAsItMayBeASecret() throws IOException {
    Path file = file("hunter2\n");
    assertThatThrownBy(() -> Settings.of(Map.of(), Map.of(), file))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("a key that begins like none of Twinbox's")
        .hasMessageNotContaining("hunter2");
  }

  @Test
  void theTextFormNamesNoValue() {
    Settings settings =
        Settings.of(
            Map.of("db.password", "direct", "rabbitmq.uri", "amqp://user:inUri@h"), Map.of(), null);
    assertThat(settings.toString()).contains("db.password").doesNotContain("direct", "inUri");
  }

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("twinbox.properties"), content);
  }
}
