package dev.twinbox.rabbitmq.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.MetricsCollector;
import com.rabbitmq.client.Recoverable;
import com.rabbitmq.client.impl.AMQConnection;
import com.rabbitmq.client.impl.ConnectionParams;
import com.rabbitmq.client.impl.FrameHandler;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One node; each test with a queue and a database of its own. */
class RabbitInboxConsumerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final InboxDatabase database = InboxDatabase.create();
  private final TestQueue queue = new TestQueue();
  private final Inbox inbox =
      database
          .inbox("billing")
          .backoff(Backoff.exponential(Duration.ofMillis(100)).giveUpAfter(3))
          .build();
  private final List<AutoCloseable> toClose = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (int i = toClose.size() - 1; i >= 0; i--) {
      toClose.get(i).close();
    }
    queue.close();
    database.close();
  }

  @Tag("essential")
  @Test
  void theLagIsWhatIsReadyInTheQueue() {
    CountDownLatch goOn = new CountDownLatch(1);
    RabbitInboxConsumer consumer =
        start(
            consumer(
                    (delivery, work) -> {
                      goOn.await();
                      InboxDatabase.effect(delivery, work);
                    })
                .prefetch(1)
                .batchSize(1));
    for (int i = 0; i < 40; i++) {
      queue.send(null);
    }

    await().atMost(PATIENCE).until(() -> consumer.lag().getOrDefault(queue.name(), 0L) > 30);
    goOn.countDown();
    awaitEffects(40);
    await().atMost(PATIENCE).until(() -> consumer.lag().getOrDefault(queue.name(), 1L) == 0);
  }

  @Test
  void aHandlerThatIgnoresItsInterruptIsNotWaitedForWhenTheConnectionIsLost() throws Exception {
    TestRabbit rabbit = TestRabbit.shared();
    FaultProxy proxy = FaultProxy.to(rabbit.host(), rabbit.port());
    toClose.add(proxy);
    ConnectionFactory through = rabbit.connectionFactory();
    through.setHost("127.0.0.1");
    through.setPort(proxy.port());
    Inbox strict = database.inbox("strict").handlerTimeLimit(Duration.ofSeconds(1)).build();
    String stubborn = queue.send(null);
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    toClose.add(end::countDown);
    start(
        consumer(
                (delivery, work) -> {
                  if (calls.incrementAndGet() == 1) {
                    handling.countDown();
                    awaitUninterruptibly(end);
                  }
                  InboxDatabase.effect(delivery, work);
                })
            .inbox(strict)
            .connectionFactory(through));
    assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

    proxy.cut();
    String other = queue.send(null);

    awaitEffects(2);
    assertThat(database.effects()).containsExactlyInAnyOrder(stubborn, other);
    end.countDown();
  }

  @Test
  void aFailedMessageHoldsItsKeyUntilItIsQuarantinedWhileOthersGoOn() throws Exception {
    Inbox patient =
        database
            .inbox("patient")
            .backoff(Backoff.exponential(Duration.ofSeconds(1)).giveUpAfter(2))
            .build();
    String poison = queue.send("a");
    String behind = queue.send("a");
    RabbitInboxConsumer consumer =
        start(
            consumer(
                    (delivery, work) -> {
                      InboxDatabase.effect(delivery, work);
                      if (poison.equals(delivery.id())) {
                        throw new IllegalStateException("Poison");
                      }
                    })
                .inbox(patient));
    await()
        .atMost(PATIENCE)
        .until(() -> database.count("select count(*) from twinbox.inbox_failure") == 1);
    String later = queue.send("a");
    String other = queue.send("b");

    awaitEffects(3);
    consumer.close();

    assertThat(database.quarantined()).containsExactly("attempts-exhausted");
    assertThat(database.effects()).containsExactly(other, behind, later);
    assertThatTheQueueIsEmpty();
  }

  @Test
  void whereMessagesMayOvertakeThoseBehindAFailedOneOfItsKeyGoOn() throws Exception {
    Inbox overtaking =
        database
            .inbox("overtaking")
            .mayOvertake()
            .backoff(Backoff.exponential(Duration.ofHours(1)))
            .build();
    String poison = queue.send("a");
    List<String> behind = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      behind.add(queue.send("a"));
    }
    RabbitInboxConsumer consumer =
        start(
            consumer(
                    (delivery, work) -> {
                      InboxDatabase.effect(delivery, work);
                      if (poison.equals(delivery.id())) {
                        throw new IllegalStateException("Not yet");
                      }
                    })
                .inbox(overtaking));

    awaitEffects(10);
    assertThat(database.effects()).isEqualTo(behind);
    consumer.close();
    try (Channel channel = queue.newChannel()) {
      GetResponse left = TestQueue.take(channel, queue.name());
      assertThat(left.getProps().getMessageId()).isEqualTo(poison);
      channel.basicAck(left.getEnvelope().getDeliveryTag(), false);
    }
    assertThatTheQueueIsEmpty();
  }

  /**
   * A recovered channel acknowledges what it was never given, and hides that deliveries are void.
   */
  @Test
  void theClientNeverRecoversByItselfWhateverTheUsersFactorySays() {
    List<Connection> made = new CopyOnWriteArrayList<>();
    ConnectionFactory recovering =
        new ConnectionFactory() {
          // Not called for a connection that recovers.
          @Override
          protected AMQConnection createConnection(
              ConnectionParams params, FrameHandler frames, MetricsCollector metrics) {
            AMQConnection connection = super.createConnection(params, frames, metrics);
            made.add(connection);
            return connection;
          }
        };
    ConnectionFactory shared = TestRabbit.shared().connectionFactory();
    recovering.setHost(shared.getHost());
    recovering.setPort(shared.getPort());
    recovering.setUsername(shared.getUsername());
    recovering.setPassword(shared.getPassword());
    recovering.setAutomaticRecoveryEnabled(true);
    recovering.setTopologyRecoveryEnabled(true);
    queue.send(null);
    start(consumer(InboxDatabase::effect).connectionFactory(recovering));

    awaitEffects(1);

    assertThat(made).hasSize(1).noneMatch(Recoverable.class::isInstance);
    assertThat(recovering.isAutomaticRecoveryEnabled()).isTrue(); // the user's own stays
  }

  @Test
  void anyNodeThatAnswersIsTaken() {
    TestRabbit rabbit = TestRabbit.shared();
    ConnectionFactory nowhere = rabbit.connectionFactory();
    nowhere.setHost("127.0.0.1");
    nowhere.setPort(1);
    FaultProxy refusing = FaultProxy.to(rabbit.host(), rabbit.port());
    toClose.add(refusing);
    refusing.refuse();
    queue.send(null);

    start(
        consumer(InboxDatabase::effect)
            .connectionFactory(nowhere)
            .addresses(
                "127.0.0.1:%s,%s:%s".formatted(refusing.port(), rabbit.host(), rabbit.port())));

    awaitEffects(1);
  }

  @Test
  void aFactoryThatConnectsByItselfIsRefused() {
    ConnectionFactory own =
        new ConnectionFactory() {
          @Override
          public Connection newConnection(String name) {
            throw new UnsupportedOperationException();
          }
        };

    assertThatThrownBy(() -> consumer(InboxDatabase::effect).connectionFactory(own).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("overrides newConnection")
        .hasMessageContaining("addresses(...)");
  }

  @Test
  void addressesThatAreNoneAreRefused() {
    for (String wrong : List.of("", " ", "host:port", ",")) {
      assertThatThrownBy(() -> RabbitInboxConsumer.builder().addresses(wrong))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("use host:port,host:port");
    }
  }

  @Test
  void aQueueThatComesIntoBeingLaterIsConsumed() throws Exception {
    String late = "late-" + Messages.id();
    start(consumer(InboxDatabase::effect).queue(late));
    try (Channel channel = queue.newChannel()) {
      await()
          .pollDelay(Duration.ofMillis(500)) // at least one attempt has failed by then
          .atMost(PATIENCE)
          .until(() -> true);
      channel.queueDeclare(late, true, false, false, Map.of());
      channel.basicPublish(
          "", late, new BasicProperties.Builder().messageId(Messages.id()).build(), new byte[1]);
      awaitEffects(1);
      channel.queueDelete(late);
    }
  }

  @Tag("essential")
  @Test
  void theWireFormatIsReadAsItIsWritten() throws Exception {
    String id = Messages.id();
    Map<String, Object> headers = new LinkedHashMap<>();
    headers.put("cloudEvents_specversion", "1.0");
    headers.put("cloudEvents_id", id);
    headers.put("cloudEvents_source", "/shop");
    headers.put("cloudEvents_type", "order.placed");
    headers.put("cloudEvents_time", "2026-11-22T07:00:00.123Z");
    headers.put("cloudEvents_partitionkey", "schlüssel");
    headers.put("cloudEvents_destination", "rabbitmq:shop/orders.placed");
    headers.put("cloudEvents_expirytime", "2126-01-01T00:00:00Z");
    headers.put("traceparent", "00-1-2-01");
    headers.put("mine", "größer");
    headers.put("twinbox-publish", 1L); // the relay's own
    headers.put("number", 7);
    queue.send(
        new BasicProperties.Builder()
            .messageId(id)
            .type("order.placed")
            .contentType("application/json")
            .headers(headers)
            .build(),
        "{}".getBytes(UTF_8));
    queue.send(
        new BasicProperties.Builder()
            .messageId(Messages.id())
            .headers(Map.of("cloudEvents_tombstone", true))
            .build(),
        new byte[0]);
    BlockingQueue<Delivery> seen = new LinkedBlockingQueue<>();
    start(consumer((delivery, work) -> seen.add(delivery)));

    Delivery first = seen.poll(60, TimeUnit.SECONDS);
    Delivery tombstone = seen.poll(60, TimeUnit.SECONDS);
    assertThat(first).isNotNull();
    assertThat(first.id()).isEqualTo(id);
    assertThat(first.source()).isEqualTo("/shop");
    assertThat(first.type()).isEqualTo("order.placed");
    assertThat(first.time()).isEqualTo(Instant.parse("2026-11-22T07:00:00.123Z"));
    assertThat(first.expiresAt()).isEqualTo(Instant.parse("2126-01-01T00:00:00Z"));
    assertThat(first.key()).isEqualTo("schlüssel");
    assertThat(first.destination()).isEqualTo("rabbitmq:shop/orders.placed");
    assertThat(first.contentType()).isEqualTo("application/json");
    assertThat(first.origin()).isEqualTo("rabbitmq:" + queue.name() + "/" + id);
    assertThat(first.headers())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("mine", "größer", "traceparent", "00-1-2-01", "number", "7"));
    assertThat(tombstone).isNotNull();
    assertThat(tombstone.payload()).isNull();
  }

  @Tag("essential")
  @Test
  void whatCannotBeReadIsQuarantinedAndTheStreamGoesOn() throws Exception {
    queue.send(new BasicProperties.Builder().build(), "no id".getBytes(UTF_8));
    queue.send(new BasicProperties.Builder().build(), "no id".getBytes(UTF_8));
    queue.send(
        new BasicProperties.Builder()
            .messageId(Messages.id())
            .headers(Map.of("cloudEvents_id", Messages.id()))
            .build(),
        new byte[0]);
    String good = queue.send(null);
    RabbitInboxConsumer consumer = start(consumer(InboxDatabase::effect));

    awaitEffects(1);
    consumer.close();
    assertThat(database.quarantined()).containsExactly("no-id", "no-id", "broken-headers");
    assertThat(database.effects()).containsExactly(good);
    assertThatTheQueueIsEmpty();
  }

  @Test
  void aRedeliveryOnAnotherChannelWaitsForTheFirst() throws Exception {
    String id = queue.send(null);
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    RabbitInboxConsumer consumer =
        start(
            consumer(
                (delivery, work) -> {
                  InboxDatabase.effect(delivery, work);
                  handling.countDown();
                  goOn.await();
                }));
    assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

    BlockingQueue<Receipt> second = new LinkedBlockingQueue<>();
    Thread other =
        new Thread(() -> second.add(inbox.receive(Messages.delivery(id), InboxDatabase::effect)));
    other.start();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                database.count(
                        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                            + " and datname = current_database()")
                    == 1);
    goOn.countDown();

    assertThat(second.poll(20, TimeUnit.SECONDS)).isInstanceOf(Receipt.Duplicate.class);
    consumer.close();
    assertThat(database.effects()).containsExactly(id);
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    while (latch.getCount() > 0) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        // the handler of this test does not care
      }
    }
  }

  private RabbitInboxConsumer.Builder consumer(Handler handler) {
    return RabbitInboxConsumer.builder()
        .inbox(inbox)
        .handler(handler)
        .queue(queue.name())
        .connectionFactory(TestRabbit.shared().connectionFactory());
  }

  private RabbitInboxConsumer start(RabbitInboxConsumer.Builder builder) {
    RabbitInboxConsumer consumer = builder.build().start();
    toClose.add(consumer);
    return consumer;
  }

  private void awaitEffects(int count) {
    await().atMost(PATIENCE).until(() -> database.effects().size() >= count);
  }

  /** Nothing came back when the consumer's channels were closed: all was acknowledged. */
  private void assertThatTheQueueIsEmpty() throws Exception {
    try (Channel channel = queue.newChannel()) {
      assertThat(channel.basicGet(queue.name(), true)).isNull();
    }
  }
}
