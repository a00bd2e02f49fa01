package dev.twinbox.kafka.publisher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KafkaBrokerTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "acks | 1",
        "acks | 0",
        "enable.idempotence | false",
        "retries | 3",
        "delivery.timeout.ms | 120000",
        "max.block.ms | 60000",
        "transactional.id | relay",
        "max.in.flight.requests.per.connection | 6",
        "max.in.flight.requests.per.connection | many",
        "key.serializer | org.apache.kafka.common.serialization.StringSerializer",
        "value.serializer | org.apache.kafka.common.serialization.StringSerializer",
        "partitioner.class | org.apache.kafka.clients.producer.RoundRobinPartitioner",
        "partitioner.ignore.keys | true",
        "interceptor.classes | com.example.Rewriter",
        "buffer.memory | 1000",
      })
  void aSettingThatWouldBreakAGuaranteeIsRefusedByNameAndValue(String name, String value) {
    KafkaBroker.Builder builder =
        KafkaBroker.named("kafka@billing")
            .properties(() -> Map.of("bootstrap.servers", "localhost:9", name, value));

    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(name + "=" + value);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "acks | all",
        "acks | -1",
        "enable.idempotence | true",
        "retries | 2147483647",
        "max.in.flight.requests.per.connection | 1",
        "compression.type | zstd",
        "linger.ms | 20",
        "batch.size | 100000",
        "buffer.memory | 33554432",
        "security.protocol | SASL_SSL",
        "client.id | shop",
        "request.timeout.ms | 10000",
      })
  void otherSettingsPassThrough(String name, String value) {
    Map<String, Object> complete =
        KafkaSettings.complete("kafka", 1, Map.of("bootstrap.servers", "localhost:9", name, value));

    assertThat(complete.get(name)).hasToString(value.equals("-1") ? "all" : value);
  }

  @Test
  void withoutServersThereIsNoBroker() {
    assertThatThrownBy(() -> KafkaBroker.named("kafka").build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("bootstrap.servers");
  }

  @Test
  void theNameMustBeThatOfAKafkaBroker() {
    assertThatThrownBy(() -> KafkaBroker.named("rabbitmq"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("rabbitmq");
    assertThat(KafkaBroker.named("kafka@eu").properties(servers()).build().name())
        .isEqualTo("kafka@eu");
  }

  @Test
  void timeoutsMustBePositive() {
    assertThatThrownBy(() -> KafkaBroker.named("kafka").confirmTimeout(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> KafkaBroker.named("kafka").metadataTimeout(Duration.ofSeconds(-1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void settingsAreReadAnewForEachPublisher() {
    AtomicReference<String> acks = new AtomicReference<>("all");
    try (KafkaBroker broker =
        KafkaBroker.named("kafka")
            .properties(() -> Map.of("bootstrap.servers", "localhost:9", "acks", acks.get()))
            .build()) {
      assertThatCode(() -> broker.open(0).close()).doesNotThrowAnyException();
      acks.set("1");
      assertThatThrownBy(() -> broker.open(0)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static Properties servers() {
    Properties properties = new Properties();
    properties.setProperty("bootstrap.servers", "localhost:9");
    return properties;
  }
}
