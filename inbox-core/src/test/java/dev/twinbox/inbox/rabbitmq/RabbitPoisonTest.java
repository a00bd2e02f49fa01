package dev.twinbox.inbox.rabbitmq;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.inbox.PoisonHandlers;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What anybody can put into a queue. */
class RabbitPoisonTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String GOOD = "{\"customer\": \"c\", \"cents\": 1}";
  private static final int DELIVERY_LIMIT = 4;

  private final InboxDatabase database = InboxDatabase.create();
  private final TestQueue queue = new TestQueue();

  @AfterEach
  void close() throws Exception {
    queue.close();
    database.close();
  }

  @Test
  void poisonOfEveryKindIsQuarantinedWithItsReasonAndTheStreamGoesOn() {
    List<String> good = new ArrayList<>();
    good.add(order(Map.of(), GOOD));
    queue.send(new BasicProperties.Builder().type("order.placed").build(), GOOD.getBytes(UTF_8));
    order(Map.of("cloudEvents_destination", "rabbitmq:mails/"), GOOD);
    order(Map.of("cloudEvents_expirytime", "never"), GOOD);
    order(Map.of("cloudEvents_specversion", "9"), GOOD);
    good.add(order(Map.of("nested", nested(20), "bytes", new byte[] {1, 2}, "n", 7L), GOOD));
    order(Map.of(), PoisonHandlers.nestingBomb());
    order(Map.of(), PoisonHandlers.TYPE_HINT);
    order(Map.of("cloudEvents_type", "java.lang.Runtime"), GOOD);
    good.add(foreign("order-1"));
    foreign("order-1");
    good.add(order(Map.of(), GOOD));

    try (RabbitInboxConsumer consumer = consumer(TestRabbit.shared().connectionFactory())) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> database.effects().size() == good.size());
      assertThat(database.effects()).isEqualTo(good);
    }
    assertThat(database.quarantined())
        .containsExactlyInAnyOrder(
            "no-id",
            "wrong-destination",
            "broken-headers",
            "broken-headers",
            "malformed-payload",
            "malformed-payload",
            "unknown-type");
  }

  @Test
  void whatTheBrokerHasTakenIsReadWhateverTheClientsOwnLimits() {
    ConnectionFactory strict = TestRabbit.shared().connectionFactory();
    strict.setRequestedFrameMax(8_192);
    strict.setMaxInboundMessageBodySize(10_000);
    List<String> good = new ArrayList<>();
    good.add(order(Map.of("large", "x".repeat(60_000)), GOOD));
    good.add(order(Map.of(), GOOD + " ".repeat(20_000)));
    good.add(order(Map.of(), GOOD));

    try (RabbitInboxConsumer consumer = consumer(strict)) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> database.effects().size() == good.size());
    }
    assertThat(database.effects()).isEqualTo(good);
  }

  @Test
  void aMessageThatTheClientCannotReadIsQuarantinedAndLeavesItsNeighboursAlone() throws Exception {
    QuorumQueue quorum = QuorumQueue.declare(queue.newChannel(), DELIVERY_LIMIT);
    List<String> good = new ArrayList<>();
    List<String> bombs = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      if (i % 10 == 5) {
        String bomb = Messages.id();
        bombs.add(bomb);
        quorum.send(properties(bomb, Map.of("bomb", nested(40), "twinbox", "x")), GOOD);
      }
      String id = Messages.id();
      good.add(id);
      quorum.send(properties(id, Map.of()), GOOD);
    }

    try (RabbitInboxConsumer consumer =
        builder(TestRabbit.shared().connectionFactory())
            .queue(quorum.name())
            .prefetch(20)
            .build()) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> database.effects().size() == good.size());
      await().atMost(PATIENCE).until(() -> quorum.ready() == 0);
    }

    assertThat(database.effects()).isEqualTo(good);
    assertThat(database.quarantined())
        .containsExactly("broken-headers", "broken-headers", "broken-headers");
    assertThat(database.texts("select id from twinbox.inbox_dead_letter order by number"))
        .isEqualTo(bombs);
    assertThat(quorum.dead()).isZero();
    quorum.delete();
  }

  private String order(Map<String, Object> headers, String payload) {
    String id = Messages.id();
    queue.send(properties(id, headers), payload.getBytes(UTF_8));
    return id;
  }

  private String foreign(String id) {
    queue.send(properties(id, Map.of("cloudEvents_source", "/legacy")), GOOD.getBytes(UTF_8));
    return id;
  }

  private static BasicProperties properties(String id, Map<String, Object> headers) {
    Map<String, Object> all = new HashMap<>(Map.of("cloudEvents_type", "order.placed"));
    all.putAll(headers);
    return new BasicProperties.Builder().messageId(id).deliveryMode(2).headers(all).build();
  }

  private static Object nested(int depth) {
    Object value = "bottom";
    for (int i = 0; i < depth; i++) {
      value = Map.of("n", value);
    }
    return value;
  }

  private RabbitInboxConsumer consumer(ConnectionFactory factory) {
    return builder(factory).build();
  }

  private RabbitInboxConsumer.Builder builder(ConnectionFactory factory) {
    return RabbitInboxConsumer.builder()
        .inbox(database.inbox("billing").expectDestinations("rabbitmq:shop/orders").build())
        .handler(PoisonHandlers.json())
        .queue(queue.name())
        .connectionFactory(factory);
  }
}
