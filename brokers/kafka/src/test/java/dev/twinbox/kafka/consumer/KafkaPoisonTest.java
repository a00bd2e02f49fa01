package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.inbox.PoisonHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What anybody can write into a topic. */
class KafkaPoisonTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String GOOD = "{\"customer\": \"c\", \"cents\": 1}";

  private final InboxDatabase database = InboxDatabase.create();
  private final KafkaTestTopic topic = new KafkaTestTopic(1);

  @AfterEach
  void close() {
    topic.close();
    database.close();
  }

  @Test
  void poisonOfEveryKindIsQuarantinedWithItsReasonAndTheStreamGoesOn() {
    List<String> good = new ArrayList<>();
    good.add(order(Map.of(), GOOD));
    topic.send(0, null, Map.of("ce_type", "order.placed"), GOOD.getBytes(UTF_8));
    order(Map.of("ce_destination", "kafka:mails"), GOOD);
    order(Map.of("ce_expirytime", "never"), GOOD);
    order(Map.of("huge", "x".repeat(300_000)), GOOD);
    ProducerRecord<byte[], byte[]> notText =
        new ProducerRecord<>(topic.name(), 0, null, GOOD.getBytes(UTF_8));
    notText.headers().add("ce_id", new byte[] {(byte) 0xc3, 0x28});
    topic.send(notText);
    order(Map.of(), PoisonHandlers.nestingBomb());
    order(Map.of(), PoisonHandlers.TYPE_HINT);
    order(Map.of("ce_type", "java.lang.Runtime"), GOOD);
    good.add(foreign("order-1"));
    foreign("order-1");
    good.add(order(Map.of(), GOOD));
    int sent = 12;

    try (KafkaInboxConsumer consumer = consumer()) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> topic.committed(0) == sent);
    }

    assertThat(database.effects()).isEqualTo(good);
    assertThat(database.quarantined())
        .containsExactlyInAnyOrder(
            "no-id",
            "wrong-destination",
            "broken-headers",
            "broken-headers",
            "broken-headers",
            "malformed-payload",
            "malformed-payload",
            "unknown-type");
  }

  @Test
  void aConsumerRegisteredTodayReadsATopicFromItsBeginning() {
    List<String> old = new ArrayList<>();
    for (int days : List.of(400, 30, 9, 7, 1)) {
      old.add(topic.send(0, null, Messages.id(Instant.now().minus(Duration.ofDays(days)))));
    }

    try (KafkaInboxConsumer consumer =
        builder().inbox(database.inbox("new").build()).handler(InboxDatabase::effect).build()) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> topic.committed(0) == old.size());
    }

    assertThat(database.effects()).isEqualTo(old);
    assertThat(database.quarantined()).isEmpty();
  }

  private String order(Map<String, String> headers, String payload) {
    String id = Messages.id();
    Map<String, String> all = new HashMap<>(Map.of("ce_id", id, "ce_type", "order.placed"));
    all.putAll(headers);
    topic.send(0, null, all, payload.getBytes(UTF_8));
    return id;
  }

  private String foreign(String id) {
    topic.send(
        0,
        null,
        Map.of("ce_id", id, "ce_source", "/legacy", "ce_type", "order.placed"),
        GOOD.getBytes(UTF_8));
    return id;
  }

  private KafkaInboxConsumer consumer() {
    return builder()
        .inbox(database.inbox("billing").expectDestinations("kafka:orders").build())
        .handler(PoisonHandlers.json())
        .build();
  }

  private KafkaInboxConsumer.Builder builder() {
    return KafkaInboxConsumer.builder()
        .development()
        .topics(topic.name())
        .properties(topic.consumerProperties("classic"));
  }
}
