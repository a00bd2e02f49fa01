package dev.twinbox.rocketmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.broker.Destination;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where RocketMQ is on the class path, topics and tags are checked at enqueue. */
class RocketDestinationTest {
  @ParameterizedTest
  @CsvSource({
    "orders,orders,",
    "orders/placed,orders,placed",
    "%RETRY%a|b,%RETRY%a|b,",
    "o/a/b,o,a/b"
  })
  void anAddressIsATopicAndPerhapsATag(String address, String topic, String tag) {
    assertThat(Destination.parse("rocketmq@eu:" + address).address()).isEqualTo(address);
    assertThat(RocketTopic.at("rocketmq@eu", "rocketmq@eu:" + address))
        .isEqualTo(new RocketTopic(topic, tag))
        .hasToString(address);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"orders.placed", "/placed", "orders/", "orders/a b", "orders/a||b", "orders/*"})
  void whatRocketMqWouldNotTakeIsRefused(String address) {
    assertThatThrownBy(() -> Destination.parse("rocketmq:" + address))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(RocketTopic.at("rocketmq", "rocketmq:" + address)).isNull();
  }

  @Test
  void namesAsLongAsRocketMqAllowsAreTaken() {
    String name = "n".repeat(127);
    assertThat(Destination.parse("rocketmq:" + name + "/" + name)).isNotNull();
    assertThatThrownBy(() -> Destination.parse("rocketmq:n" + name))
        .hasMessageContaining("1 to 127");
  }
}
