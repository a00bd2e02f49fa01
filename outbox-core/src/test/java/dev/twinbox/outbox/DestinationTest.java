package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DestinationTest {
  @Test
  void kafkaTopics() {
    assertThat(Destination.parse("kafka:orders"))
        .isEqualTo(new KafkaDestination(null, "orders"))
        .hasToString("kafka:orders")
        .extracting(Destination::broker)
        .isEqualTo("kafka");
    assertThat(Destination.parse("kafka@billing-2:shop.orders_v1"))
        .isEqualTo(new KafkaDestination("billing-2", "shop.orders_v1"))
        .hasToString("kafka@billing-2:shop.orders_v1")
        .extracting(Destination::broker)
        .isEqualTo("kafka@billing-2");
  }

  @Test
  void rabbitExchangesAreSplitAtTheFirstSlash() {
    assertThat(Destination.parse("rabbitmq:events/order.placed"))
        .isEqualTo(new RabbitDestination(null, "events", "order.placed"))
        .hasToString("rabbitmq:events/order.placed");
    assertThat(Destination.parse("rabbitmq@eu:events/a/b:c"))
        .isEqualTo(new RabbitDestination("eu", "events", "a/b:c"))
        .hasToString("rabbitmq@eu:events/a/b:c")
        .extracting(Destination::broker)
        .isEqualTo("rabbitmq@eu");
    assertThat(Destination.parse("rabbitmq:events/"))
        .isEqualTo(new RabbitDestination(null, "events", ""));
  }

  @Test
  void theDefaultExchangeTakesAQueuesName() {
    assertThat(Destination.parse("rabbitmq:/invoices"))
        .isEqualTo(new RabbitDestination(null, "", "invoices"))
        .hasToString("rabbitmq:/invoices");
  }

  @Test
  void namesAsLongAsTheBrokersAllowAreTaken() {
    String name = "n".repeat(255);
    assertThat(Destination.parse("kafka@" + "b".repeat(32) + ":" + "t".repeat(249))).isNotNull();
    assertThat(Destination.parse("rabbitmq:" + name + "/" + name)).isNotNull();
    assertThatThrownBy(() -> Destination.parse("kafka:" + "t".repeat(250)))
        .hasMessageContaining("249");
    assertThatThrownBy(() -> Destination.parse("rabbitmq:" + name + "n/k"))
        .hasMessageContaining("256 bytes")
        .hasMessageContaining("255 bytes");
    assertThatThrownBy(() -> Destination.parse("rabbitmq:x/" + "ü".repeat(128)))
        .hasMessageContaining("256 bytes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "orders",
        "kafka",
        "kafka:",
        "kafka:.",
        "kafka:..",
        "kafka:a b",
        "kafka:a/b",
        "kafka:ördnung",
        "Kafka:orders",
        "kafka@:orders",
        "kafka@Billing:orders",
        "kafka@-a:orders",
        "kafka@abcdefghijklmnopqrstuvwxyz0123456:orders",
        "kafka@a@b:orders",
        "jms:orders",
        "rabbitmq:",
        "rabbitmq:queue",
        "rabbitmq:/",
        "rabbitmq:a\u0000/b",
        "rabbitmq:a/b\n",
        "rabbitmq:a/\ud800",
        " kafka:orders",
        ":orders"
      })
  void whatIsOutsideTheGrammarIsRefused(String text) {
    assertThatThrownBy(() -> Message.to(text))
        .isInstanceOfSatisfying(
            InvalidMessageException.class, e -> assertThat(e.field()).isEqualTo("destination"))
        .hasMessageStartingWith("destination ");
  }

  @Test
  void recordsCannotBeMadeAroundTheGrammar() {
    assertThatThrownBy(() -> new RabbitDestination(null, "a/b", "c"))
        .isInstanceOf(InvalidMessageException.class)
        .hasMessageContaining("'/'");
    assertThatThrownBy(() -> new KafkaDestination("A", "orders"))
        .isInstanceOf(InvalidMessageException.class);
  }
}
