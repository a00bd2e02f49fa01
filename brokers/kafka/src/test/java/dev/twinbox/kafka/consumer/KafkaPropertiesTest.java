package dev.twinbox.kafka.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KafkaPropertiesTest {
  private static final Map<String, Object> GOOD =
      Map.of("bootstrap.servers", "localhost:9092", "group.id", "g");

  @ParameterizedTest
  @CsvSource({
    "enable.auto.commit, true",
    "isolation.level, read_uncommitted",
    "auto.offset.reset, latest",
    "auto.offset.reset, by_duration:PT1H",
    "key.deserializer, org.apache.kafka.common.serialization.StringDeserializer",
    "value.deserializer, org.apache.kafka.common.serialization.StringDeserializer",
    "max.poll.records, 10",
    "group.id, ''",
    "bootstrap.servers, ''"
  })
  void aPropertyThatBreaksAGuaranteeIsRefusedByName(String name, String value) {
    Map<String, Object> properties = new HashMap<>(GOOD);
    properties.put(name, value);

    assertThatThrownBy(() -> new KafkaProperties(properties, 500, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(name);
  }

  @Test
  void otherPropertiesPassThrough() {
    Map<String, Object> properties = new HashMap<>(GOOD);
    properties.putAll(
        Map.of(
            "security.protocol", "SASL_SSL",
            "enable.auto.commit", false,
            "auto.offset.reset", "latest",
            "client.id", "shop",
            "group.instance.id", "shop"));

    Map<String, Object> second = new KafkaProperties(properties, 7, true).forConsumer(2, 2);

    assertThat(second)
        .containsEntry("security.protocol", "SASL_SSL")
        .containsEntry("auto.offset.reset", "latest")
        .containsEntry("enable.auto.commit", "false")
        .containsEntry("isolation.level", "read_committed")
        .containsEntry("max.poll.records", 100)
        .containsEntry("client.id", "shop-2")
        .containsEntry("group.instance.id", "shop-2");
  }
}
