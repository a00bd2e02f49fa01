package dev.twinbox.outbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** JSON by either Jackson. */
final class Jackson3CodecTest {
  record Order(String orderId, Instant at) {}

  private static final Order ORDER = new Order("1", Instant.parse("2026-01-02T03:04:05Z"));

  @Test
  void timesAreText() {
    assertThat(new String(Jackson3Codec.create().encode(ORDER), UTF_8))
        .isEqualTo("{\"orderId\":\"1\",\"at\":\"2026-01-02T03:04:05Z\"}");
  }

  @Test
  void theApplicationsMapperDecides() {
    JsonMapper snakes =
        JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();
    Outbox outbox = Outbox.builder().source("/shop").codec(Jackson3Codec.of(snakes)).build();
    Message stored = outbox.prepare(Message.to("kafka:orders").type("placed").json(ORDER));
    assertThat(stored.payload()).asString(UTF_8).contains("order_id");
    assertThat(stored.contentType()).isEqualTo("application/json");
  }

  @Test
  void whatHasNoEncodingIsRefused() {
    Object circle =
        new Object() {
          public Object getSelf() {
            return this;
          }
        };
    assertThatThrownBy(() -> Jackson3Codec.create().encode(circle))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
