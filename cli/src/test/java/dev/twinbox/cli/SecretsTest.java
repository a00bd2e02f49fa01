package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is printed is the same whatever the secrets are, so it tells nothing of them: neither by
 * showing one nor by leaving its letters out.
 */
@Tag("essential")
class SecretsTest {
  private static final String ANOTHER = "zq8";
  private static final String WELL_FORMED =
      """
      db.url=jdbc:postgresql://127.0.0.1:1/shop?password={}&sslpassword={}
      db.user=shop
      db.password={}
      rabbitmq.uri=amqp://user:{}@127.0.0.1:1
      rabbitmq.password={}
      rabbitmq.ssl.key.store.password={}
      rabbitmq.management.uri=http://admin:{}@127.0.0.1:1
      kafka.bootstrap.servers=127.0.0.1:1
      kafka.security.protocol=SASL_SSL
      kafka.sasl.mechanism=PLAIN
      kafka.ssl.keystore.password={}
      kafka.ssl.truststore.location=/no/such/file
      kafka.ssl.truststore.password={}
      kafka.sasl.jaas.config=no.such.Module required password="{}";
      """;

  @TempDir Path folder;

  /** Of one letter, of letters that all output has, and of signs that mean something elsewhere. */
  @ParameterizedTest
  @ValueSource(strings = {"x", "e", "outbox", "kafka", "1", "the", ".*", "$0", "[a-z", "%s"})
  void theOutputIsTheSameWhateverTheSecretsAre(String secret) throws IOException {
    for (String command :
        List.of(
            "doctor --destination rabbitmq:shop/order --destination kafka:orders",
            "doctor --json --destination rabbitmq:shop/order --destination kafka:orders",
            "doctor --inbox --group billing --topic orders --queue mail",
            "status",
            "relay")) {
      assertThat(printed(command, WELL_FORMED, encoded(secret)))
          .as(command)
          .isEqualTo(printed(command, WELL_FORMED, ANOTHER));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          status | db.url=jdbc:postgresql://shop:{}@127.0.0.1:1/shop
          status | db.url=jdbc:postgresql:shop:{}@127.0.0.1/shop
          status | db.url=jdbc:postgresql://127.0.0.1:1/shop?password=%{}
          status | db.url=jdbc:postgresql://127.0.0.1:{}/shop
          status | db.url=postgresql://shop:{}@127.0.0.1:1/shop
          status | {}
          status | {}=1
          doctor --destination rabbitmq:shop/order | rabbitmq.uri=amqp://user:{} @127.0.0.1:1
          doctor --destination rabbitmq:shop/order | rabbitmq.uri=amqp://user:{}@{}@127.0.0.1:1
          doctor --destination rabbitmq:shop/order | rabbitmq.uri=amqp://user:/{}@127.0.0.1:1
          doctor --destination rabbitmq:shop/order | rabbitmq.uri=amqp://user:1/{}@127.0.0.1:1
          doctor --destination rabbitmq:shop/order | rabbitmq.uri=amqp://user:?{}@127.0.0.1:1
          doctor --destination rabbitmq:shop/order | rabbitmq.uri=amqp://user:#{}@127.0.0.1:1
          doctor --destination rabbitmq:shop/order | rabbitmq.uri=amqp://user:%{}@127.0.0.1:1
          doctor --destination rabbitmq:shop/order | rabbitmq.uri=user:{}@127.0.0.1:1
          doctor --destination rabbitmq:shop/order | rabbitmq.port={}
          doctor --destination rabbitmq:shop/order | rabbitmq.connection.timeout={}
          doctor --destination kafka:orders | kafka.sasl.jaas.config={}
          doctor --destination kafka:orders | kafka.sasl.jaas.config=a.Module required password="{}"
          doctor --destination kafka:orders | kafka.sasl.jaas.config=a.Module required password="a"{}";
          doctor --destination kafka:orders | kafka.sasl.jaas.config=a.Module {} password="a";
          doctor --destination kafka:orders | kafka.sasl.jaas.config={} required;
          doctor --destination kafka:orders | kafka.ssl.keystore.type={}
          status --queue mail | rabbitmq.addresses=amqp://user:{}@127.0.0.1
          """)
  void whatIsMalformedIsNotRepeated(String command, String line) throws IOException {
    String rest = line.startsWith("db.") ? "" : "db.url=jdbc:postgresql://127.0.0.1:1/shop\n";
    if (line.startsWith("kafka.")) {
      rest +=
          """
          kafka.bootstrap.servers=127.0.0.1:1
          kafka.security.protocol=SASL_SSL
          kafka.sasl.mechanism=PLAIN
          """;
    } else if (!line.startsWith("rabbitmq.uri")) {
      rest += "rabbitmq.uri=amqp://127.0.0.1:1\n";
    }
    String config = rest + line + "\n";
    String printed = printed(command, config, "zhunter2");
    assertThat(printed).isNotBlank().doesNotContain("hunter2");
    assertThat(printed).isEqualTo(printed(command, config, "zs3same"));
    assertThat(printed(command + " --verbose", config, "zhunter2")).doesNotContain("hunter2");
  }

  private String printed(String command, String config, String secret) throws IOException {
    Path file = folder.resolve("twinbox.properties");
    Files.writeString(file, config.replace("{}", secret));
    Ran ran = Ran.twinbox((command + " --config " + file).split(" "));
    assertThat(ran.exitCode()).isPositive();
    return ran.exitCode() + "\n" + ran.out() + ran.err();
  }

  /** As an address has it, and a Java properties file. */
  private static String encoded(String secret) {
    return secret.replace("%", "%25").replace("[", "%5B").replace(" ", "%20");
  }
}
