package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.inbox.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

/** What a consumer that people have already hands to the inbox. */
class KafkaDeliveriesTest {
  private final ConsumerRecord<Object, Object> record =
      new ConsumerRecord<>("orders", 3, 41, "ann", "hello");

  @Test
  void aRecordOfTheWireFormatKeepsItsAttributes() {
    record.headers().add("ce_id", "id-1".getBytes(UTF_8));
    record.headers().add("ce_source", "/shop".getBytes(UTF_8));
    record.headers().add("ce_type", "order.placed".getBytes(UTF_8));
    record.headers().add("mine", "x".getBytes(UTF_8));

    Delivery delivery = KafkaDeliveries.of(record);

    assertThat(delivery.id()).isEqualTo("id-1");
    assertThat(delivery.source()).isEqualTo("/shop");
    assertThat(delivery.type()).isEqualTo("order.placed");
    assertThat(delivery.key()).isEqualTo("ann");
    assertThat(delivery.payload()).isEqualTo("hello".getBytes(UTF_8));
    assertThat(delivery.headers()).containsEntry("mine", "x");
    assertThat(delivery.origin()).isEqualTo("kafka:orders/3/41");
    assertThat(delivery.redelivered()).isFalse();
  }

  @Test
  void theIdIsWhereItsConsumerSays() {
    record.headers().add("ce_id", "of CloudEvents".getBytes(UTF_8));
    record.headers().add("event-id", "first".getBytes(UTF_8));
    record.headers().add("event-id", "last".getBytes(UTF_8));

    assertThat(KafkaDeliveries.of(record, KafkaDeliveries.header("event-id")))
        .satisfies(delivery -> assertThat(delivery.id()).isEqualTo("last"))
        .satisfies(delivery -> assertThat(delivery.defect()).isNull());
    assertThat(KafkaDeliveries.of(record, KafkaDeliveries.key()).id()).isEqualTo("ann");
    assertThat(KafkaDeliveries.of(record, KafkaDeliveries.offset()).id()).isEqualTo("orders/3/41");
    assertThat(KafkaDeliveries.of(record, any -> "mine").id()).isEqualTo("mine");
    assertThat(KafkaDeliveries.of(record, KafkaDeliveries.header("missing")).id()).isNull();
  }

  @Test
  void aDecodedValueIsRefusedByName() {
    ConsumerRecord<Object, Object> decoded = new ConsumerRecord<>("orders", 3, 41, "ann", 42);

    assertThatThrownBy(() -> KafkaDeliveries.of(decoded))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("value", "java.lang.Integer", "ByteArrayDeserializer");
  }
}
