package dev.twinbox.rabbitmq.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import dev.twinbox.inbox.CloudEvent;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.inbox.PoisonHandlers;
import dev.twinbox.inbox.Quarantine;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
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

    TestRabbit rabbit = TestRabbit.shared();
    FaultProxy proxy = FaultProxy.to(rabbit.host(), rabbit.port());
    ConnectionFactory through = rabbit.connectionFactory();
    through.setHost("127.0.0.1");
    through.setPort(proxy.port());
    try (proxy;
        RabbitInboxConsumer consumer = builder(through).queue(quorum.name()).prefetch(20).build()) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> database.effects().size() == good.size());
      await().atMost(PATIENCE).until(() -> quorum.ready() == 0);
      assertThat(proxy.connections()).as("none was closed").isEqualTo(1);
    }

    assertThat(database.effects()).isEqualTo(good);
    assertThat(database.quarantined())
        .containsExactly("broken-headers", "broken-headers", "broken-headers");
    assertThat(database.texts("select id from twinbox.inbox_dead_letter order by number"))
        .isEqualTo(bombs);
    assertThat(quarantine().list(Selection.all()))
        .allSatisfy(
            message -> {
              String table = message.headers().get(CloudEvent.UNREADABLE_TABLE);
              assertThat(table).isNotNull();
              assertThat(new String(Base64.getDecoder().decode(table), UTF_8)).contains("bomb");
            });
    assertThat(quorum.dead()).isZero();
    quorum.delete();
  }

  @Test
  void aBrokenMessageThatComesAgainLiesInQuarantineOnceAndIsNotRedrivenWithoutItsHeaders()
      throws Exception {
    QuorumQueue quorum = QuorumQueue.declare(queue.newChannel(), 20);
    String unreadable = Messages.id();
    String broken = Messages.id();
    for (int copy = 0; copy < 2; copy++) {
      quorum.send(properties(unreadable, Map.of("bomb", nested(40))), GOOD);
      quorum.send(
          properties(
              broken,
              Map.of("cloudEvents_expirytime", "never", "n", List.of(Map.of("b", new byte[] {1})))),
          GOOD);
      if (copy == 0) {
        dieAt(quorum); // from now on the queue says how often it delivered them
      }
    }

    String last = Messages.id();
    quorum.send(properties(last, Map.of()), GOOD);
    try (RabbitInboxConsumer consumer =
        builder(TestRabbit.shared().connectionFactory()).queue(quorum.name()).build()) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> database.effects().contains(last));
      assertThat(database.texts("select id from twinbox.inbox_dead_letter"))
          .containsExactlyInAnyOrder(unreadable, broken);

      quarantine().redrive(Selection.all().ids(List.of(unreadable)), Act.by("ops"));
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  database.count(
                          "select count(*) from twinbox.inbox_redrive where finished_at is not null"
                              + " and failed = 1")
                      == 1);
    }
    assertThat(database.effects()).containsExactly(last);
    assertThat(
            database.texts(
                "select error from twinbox.inbox_dead_letter where id = '" + unreadable + "'"))
        .singleElement(InstanceOfAssertFactories.STRING)
        .contains("Have its producer send it again");
    quorum.delete();
  }

  @Test
  void headersThatTheQueueItselfMakesLargerThanAFrameAreReadAllTheSame() throws Exception {
    QuorumQueue quorum = QuorumQueue.declare(queue.newChannel(), 20);
    String id = Messages.id();
    // With it the frame of the headers is 20 bytes short of the limit of 131,072.
    int room = 131_072 - 20 - properties(id, Map.of("large", "")).toFrame(1, 0).size();
    quorum.send(properties(id, Map.of("large", "x".repeat(room))), GOOD);
    dieAt(quorum); // x-delivery-count is added

    try (RabbitInboxConsumer consumer =
        builder(TestRabbit.shared().connectionFactory()).queue(quorum.name()).build()) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> database.effects().contains(id));
    }
    quorum.delete();
  }

  private Quarantine quarantine() {
    return Quarantine.of(database.dataSource(), "twinbox");
  }

  /** Takes what there is without a word, and goes. */
  private static void dieAt(QuorumQueue quorum) throws Exception {
    ConnectionFactory once = TestRabbit.shared().connectionFactory();
    once.setAutomaticRecoveryEnabled(false);
    Connection connection = once.newConnection();
    Channel channel = connection.createChannel();
    channel.basicConsume(quorum.name(), false, new DefaultConsumer(channel));
    // The client closes it at a message that it cannot read.
    await().atMost(PATIENCE).until(() -> !connection.isOpen() || quorum.ready() == 0);
    connection.abort();
    await().atMost(PATIENCE).until(() -> quorum.ready() > 0);
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
