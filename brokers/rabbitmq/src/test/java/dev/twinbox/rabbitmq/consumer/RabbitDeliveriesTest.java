package dev.twinbox.rabbitmq.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import dev.twinbox.inbox.Delivery;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a consumer that people have already hands to the inbox. */
class RabbitDeliveriesTest {
  private static final byte[] BODY = {1, 2};

  @Test
  void aMessageOfTheWireFormatKeepsItsAttributes() {
    BasicProperties properties =
        new BasicProperties.Builder()
            .messageId("id-1")
            .type("order.placed")
            .headers(Map.of("cloudEvents_source", "/shop", "mine", "x"))
            .build();

    Delivery delivery = RabbitDeliveries.of("orders", properties, BODY);

    assertThat(delivery.id()).isEqualTo("id-1");
    assertThat(delivery.source()).isEqualTo("/shop");
    assertThat(delivery.type()).isEqualTo("order.placed");
    assertThat(delivery.payload()).isEqualTo(BODY);
    assertThat(delivery.headers()).containsEntry("mine", "x");
    assertThat(delivery.origin()).isEqualTo("rabbitmq:orders/id-1");
  }

  @Test
  void theIdIsWhereItsConsumerSays() {
    BasicProperties properties =
        new BasicProperties.Builder()
            .messageId("of the property")
            .headers(Map.of("cloudEvents_id", "of CloudEvents", "event-id", "mine"))
            .build();

    Delivery delivery =
        RabbitDeliveries.of("orders", properties, BODY, RabbitDeliveries.header("event-id"));

    assertThat(delivery.id()).isEqualTo("mine");
    assertThat(delivery.defect()).isNull();
    assertThat(RabbitDeliveries.of("orders", properties, BODY, any -> null).id()).isNull();
  }

  /** Ids that count from 1 are another message's on another queue. */
  @Test
  void withoutAQueueAnIdHasToStandForItself() {
    BasicProperties counted = new BasicProperties.Builder().messageId("1").build();
    BasicProperties ofOurs =
        new BasicProperties.Builder().messageId("01890a5d-ac96-774b-bcce-b302099a8057").build();
    BasicProperties ofASource =
        new BasicProperties.Builder()
            .messageId("1")
            .headers(Map.of("cloudEvents_source", "/shop"))
            .build();

    assertThat(RabbitDeliveries.of(counted, BODY).defect())
        .contains("'1'", "RabbitDeliveries.of(queue, properties, body)");
    assertThat(RabbitDeliveries.of(ofOurs, BODY).defect()).isNull();
    assertThat(RabbitDeliveries.of(ofASource, BODY).defect()).isNull();
    assertThat(RabbitDeliveries.of("orders", counted, BODY).defect()).isNull();
  }
}
