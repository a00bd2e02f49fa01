package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.kafka.KafkaTopic;
import dev.twinbox.outbox.Destination;
import dev.twinbox.outbox.InvalidMessageException;
import dev.twinbox.outbox.KafkaDestination;
import dev.twinbox.outbox.RabbitDestination;
import dev.twinbox.rabbitmq.RabbitRoute;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The outbox checks destinations at enqueue, the brokers read them: by the same grammar. */
class DestinationGrammarTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "kafka:orders",
        "kafka:a.b_c-D9",
        "kafka:.",
        "kafka:..",
        "kafka:...",
        "kafka:",
        "kafka:a b",
        "kafka:a/b",
        "kafka:ä",
        "kafka:a\n",
        "kafka@billing:orders",
        "kafkaorders",
        "rabbitmq:shop/order.placed",
        "rabbitmq:/queue",
        "rabbitmq:/",
        "rabbitmq:events/",
        "rabbitmq:shop/a/b",
        "rabbitmq:no-slash",
        "rabbitmq:",
        "rabbitmq:shop/a\tb",
        "rabbitmq:sh\u0085op/a",
        "rabbitmq:shop/\ud83d",
        "rabbitmq:shop/\ud83d\ude00",
        "rabbitmq@eu:shop/a",
      })
  void whatTheOutboxTakesTheBrokerCanRead(String destination) {
    expectSame(destination);
  }

  @Test
  void theLimitsOfLengthAreTheSame() {
    for (int length : new int[] {249, 250, 255, 256}) {
      String text = "x".repeat(length);
      expectSame("kafka:" + text);
      expectSame("rabbitmq:/" + text);
      expectSame("rabbitmq:" + text + "/" + text);
    }
    expectSame("rabbitmq:/" + "ä".repeat(127));
    expectSame("rabbitmq:/" + "ä".repeat(128));
  }

  private static void expectSame(String destination) {
    Destination enqueued = parsed(destination);
    KafkaTopic topic = KafkaTopic.at("kafka", destination);
    RabbitRoute route = RabbitRoute.at("rabbitmq", destination);

    if (enqueued instanceof KafkaDestination kafka && kafka.brokerName() == null) {
      assertThat(topic).isEqualTo(new KafkaTopic(kafka.topic()));
    } else {
      assertThat(topic).as(destination).isNull();
    }
    if (enqueued instanceof RabbitDestination rabbit && rabbit.brokerName() == null) {
      assertThat(route).isEqualTo(new RabbitRoute(rabbit.exchange(), rabbit.routingKey()));
    } else {
      assertThat(route).as(destination).isNull();
    }
  }

  private static @Nullable Destination parsed(String destination) {
    try {
      return Destination.parse(destination);
    } catch (InvalidMessageException e) {
      return null;
    }
  }
}
