package dev.twinbox.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.broker.Destination;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where RabbitMQ is on the class path, exchanges and routing keys are checked at enqueue. */
class RabbitDestinationTest {
  @ParameterizedTest
  @CsvSource({
    "events/order.placed,events,order.placed",
    "events/a/b:c,events,a/b:c",
    "events/,events,''",
    "/invoices,'',invoices",
    "shop/\ud83d\ude00,shop,\ud83d\ude00"
  })
  void anAddressIsSplitAtTheFirstSlash(String address, String exchange, String key) {
    assertThat(Destination.parse("rabbitmq@eu:" + address).address()).isEqualTo(address);
    assertThat(RabbitRoute.at("rabbitmq@eu", "rabbitmq@eu:" + address))
        .isEqualTo(new RabbitRoute(exchange, key));
  }

  @ParameterizedTest
  @ValueSource(strings = {"queue", "/", "shop/a\tb", "sh\u0085op/a", "shop/\ud83d"})
  void whatAmqpWouldNotCarryIsRefused(String address) {
    assertThatThrownBy(() -> Destination.parse("rabbitmq:" + address))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(RabbitRoute.at("rabbitmq", "rabbitmq:" + address)).isNull();
  }

  @Test
  void namesAsLongAsAmqpAllowsAreTaken() {
    String name = "n".repeat(255);
    assertThat(Destination.parse("rabbitmq:" + name + "/" + name)).isNotNull();
    assertThatThrownBy(() -> Destination.parse("rabbitmq:" + name + "n/k"))
        .hasMessageContaining("256 bytes")
        .hasMessageContaining("255 bytes");
    assertThatThrownBy(() -> Destination.parse("rabbitmq:x/" + "ü".repeat(128)))
        .hasMessageContaining("256 bytes");
  }

  @Test
  void theErrorSaysHowToWriteIt() {
    assertThatThrownBy(() -> Destination.parse("rabbitmq:queue"))
        .hasMessageStartingWith("destination 'rabbitmq:queue': ")
        .hasMessageContaining("'/queue' for a queue by its name");
    assertThatThrownBy(() -> Destination.parse("orders"))
        .hasMessageContaining("'rabbitmq:exchange/routing.key'");
    assertThatThrownBy(() -> new RabbitRoute("a/b", "c")).hasMessageContaining("'/'");
  }
}
