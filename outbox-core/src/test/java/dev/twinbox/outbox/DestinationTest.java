package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.broker.Destination;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In a service that has no broker's module: kinds are not known, the grammar is. */
final class DestinationTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "kafka:orders",
        "kafka@billing-2:shop.orders_v1",
        "rabbitmq@eu:events/a/b:c",
        "jms:any address",
        "s3x@0:ördnung",
      })
  void anyAddressOfAnyBrokerIsTaken(String text) {
    Destination destination = Message.to(text).destination();

    assertThat(destination).hasToString(text).isEqualTo(Destination.parse(text));
    assertThat(destination.broker()).isEqualTo(text.substring(0, text.indexOf(':')));
    assertThat(destination.address()).isEqualTo(text.substring(text.indexOf(':') + 1));
  }

  @Test
  void namesAreTakenAsLongAsTheGrammarAllows() {
    String broker = "k".repeat(32) + "@" + "n".repeat(32);
    assertThat(Message.to(broker + ":" + "a".repeat(1024 - 66)).destination().broker())
        .isEqualTo(broker);
    assertThatThrownBy(() -> Message.to("kafka:" + "ü".repeat(510)))
        .hasMessageContaining("1,026 bytes")
        .hasMessageContaining("1,024 bytes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "orders",
        "kafka",
        "kafka:",
        "Kafka:orders",
        "kafka@:orders",
        "kafka@Billing:orders",
        "kafka@-a:orders",
        "kafka@abcdefghijklmnopqrstuvwxyz0123456:orders",
        "kafka@a@b:orders",
        "kafkaabcdefghijklmnopqrstuvwxyz012:orders",
        "ka-fka:orders",
        "2kafka:orders",
        "rabbitmq:",
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
    assertThatThrownBy(() -> new Destination("kafka", "a\nb"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Destination("kafka@A", "orders"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Destination("kafka", ""))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
