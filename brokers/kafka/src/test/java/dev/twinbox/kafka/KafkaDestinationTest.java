package dev.twinbox.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.broker.Destination;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where Kafka is on the class path, topics are checked at enqueue. */
class KafkaDestinationTest {
  @ParameterizedTest
  @ValueSource(strings = {"orders", "shop.orders_v1", "a.b_c-D9", "..."})
  void aTopicIsAnAddress(String topic) {
    assertThat(Destination.parse("kafka:" + topic).address()).isEqualTo(topic);
    assertThat(KafkaTopic.at("kafka@billing", "kafka@billing:" + topic))
        .isEqualTo(new KafkaTopic(topic));
  }

  @ParameterizedTest
  @ValueSource(strings = {".", "..", "a b", "a/b", "ördnung", "a:b"})
  void whatKafkaWouldNotTakeIsRefused(String topic) {
    assertThatThrownBy(() -> Destination.parse("kafka:" + topic))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("destination 'kafka:" + topic + "': ")
        .hasMessageContaining("Kafka allows 1 to 249 letters, digits, '.', '_' and '-'");
    assertThat(KafkaTopic.at("kafka", "kafka:" + topic)).isNull();
  }

  @Test
  void aTopicIsAsLongAsKafkaAllows() {
    assertThat(Destination.parse("kafka@" + "b".repeat(32) + ":" + "t".repeat(249))).isNotNull();
    assertThatThrownBy(() -> Destination.parse("kafka:" + "t".repeat(250)))
        .hasMessageContaining("249");
  }

  @Test
  void whatNamesNoBrokerIsToldHowToWriteIt() {
    assertThatThrownBy(() -> Destination.parse("orders")).hasMessageContaining("'kafka:topic'");
    assertThatThrownBy(() -> Destination.parse("kafka:")).hasMessageContaining("'kafka:topic'");
  }
}
