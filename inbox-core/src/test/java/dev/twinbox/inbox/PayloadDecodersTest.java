package dev.twinbox.inbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** JSON by either Jackson, alike. */
final class PayloadDecodersTest {
  record Order(String id) {}

  static List<PayloadDecoders> both() {
    return List.of(
        JacksonDecoders.create(),
        Jackson3Decoders.create(),
        JacksonDecoders.of(new com.fasterxml.jackson.databind.ObjectMapper()),
        Jackson3Decoders.of(new tools.jackson.databind.ObjectMapper()));
  }

  @ParameterizedTest
  @MethodSource("both")
  void handlersGetObjects(PayloadDecoders decoders) throws Exception {
    List<Order> got = new ArrayList<>();
    TypedHandlers handlers =
        TypedHandlers.builder()
            .decoders(decoders)
            .json("placed", Order.class, (order, delivery, work) -> got.add(order))
            .build();
    handlers.handle(delivery("{\"id\":\"1\"}"), nothing());
    assertThat(got).containsExactly(new Order("1"));
    for (String malformed : new String[] {"{", "null", "[]"}) {
      assertThatThrownBy(() -> handlers.handle(delivery(malformed), nothing()))
          .isInstanceOf(UnprocessableException.class);
    }
    assertThatThrownBy(() -> handlers.handle(delivery(null), nothing()))
        .hasMessageContaining("tombstone");
  }

  private static Delivery delivery(@Nullable String payload) {
    return Delivery.builder()
        .id("1")
        .type("placed")
        .payload(payload == null ? null : payload.getBytes(UTF_8))
        .origin("kafka:orders/0/1")
        .build();
  }

  @SuppressWarnings("NullAway") // no handler here touches it
  private static InboxTransaction nothing() {
    return null;
  }
}
