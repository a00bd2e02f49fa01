package dev.twinbox.rabbitmq.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.InboxTransaction;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The order of one key on a quorum queue whose consumers die. */
class QuorumOrderTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration PAUSE = Duration.ofMillis(20);
  private static final int DEATHS = 4;
  private static final int PREFETCH = 10;
  private static final int SOME = 3;

  private final InboxDatabase database = InboxDatabase.create();
  private final TestQueue anyQueue = new TestQueue();
  private QuorumQueue queue;

  @BeforeEach
  void declare() throws Exception {
    queue = QuorumQueue.declare(anyQueue.newChannel(), 20);
  }

  @AfterEach
  void close() throws Exception {
    queue.delete();
    anyQueue.close();
    database.close();
  }

  @Test
  void connectionsLostAgainAndAgainWithMessagesInHandKeepTheOrderOfAKey() throws Exception {
    List<String> sent = sent(5 * PREFETCH);
    TestRabbit rabbit = TestRabbit.shared();
    FaultProxy proxy = FaultProxy.to(rabbit.host(), rabbit.port());
    ConnectionFactory through = rabbit.connectionFactory();
    through.setHost("127.0.0.1");
    through.setPort(proxy.port());
    Failing handler = new Failing();

    try (proxy;
        RabbitInboxConsumer consumer =
            RabbitInboxConsumer.builder()
                .inbox(database.inbox("billing").backoff(new Backoff(PAUSE, PAUSE, 10_000)).build())
                .handler(handler::handle)
                .queue(queue.name())
                .connectionFactory(through)
                .prefetch(PREFETCH)
                .build()) {
      consumer.start();
      for (int i = 0; i < DEATHS; i++) {
        int settled = SOME * (i + 1);
        handler.allowed.addAll(sent.subList(0, settled));
        await().atMost(PATIENCE).until(() -> database.effects().size() == settled);
        long rest = sent.size() - settled - PREFETCH;
        await().atMost(PATIENCE).until(() -> queue.ready() == rest); // a prefetch is in hand
        long connections = proxy.connections();
        proxy.cut();
        await().atMost(PATIENCE).until(() -> proxy.connections() > connections);
      }
      handler.allowed.addAll(sent);
      await().atMost(PATIENCE).until(() -> database.effects().size() == sent.size());
    }

    assertThat(database.effects()).isEqualTo(sent);
  }

  /** Why no consumer may take fewer than the others: so RabbitMQ does it, and docs say so. */
  @Test
  void aConsumerWithASmallerPrefetchThatDiesTurnsTheOrderRound() throws Exception {
    List<String> sent = sent(PREFETCH);

    dieWith(PREFETCH);
    dieWith(PREFETCH);
    assertThat(dieWith(PREFETCH)).isEqualTo(sent);
    dieWith(1);

    List<String> turned = new ArrayList<>(sent.subList(1, PREFETCH));
    turned.add(sent.get(0));
    assertThat(dieWith(PREFETCH)).isEqualTo(turned);
  }

  /** What a consumer had in hand when its channel went. */
  private List<String> dieWith(int prefetch) throws Exception {
    List<String> inHand = new CopyOnWriteArrayList<>();
    Channel channel = anyQueue.newChannel();
    channel.basicQos(prefetch);
    channel.basicConsume(
        queue.name(),
        false,
        new DefaultConsumer(channel) {
          @Override
          public void handleDelivery(
              String tag, Envelope envelope, BasicProperties properties, byte[] body) {
            inHand.add(properties.getMessageId());
          }
        });
    await().atMost(PATIENCE).until(() -> inHand.size() == prefetch);
    channel.abort();
    return List.copyOf(inHand);
  }

  private List<String> sent(int messages) throws Exception {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < messages; i++) {
      String id = Messages.id();
      ids.add(id);
      queue.send(
          new BasicProperties.Builder()
              .messageId(id)
              .deliveryMode(2)
              .headers(Map.of("cloudEvents_partitionkey", "one"))
              .build(),
          "x");
    }
    return ids;
  }

  /** Fails but for those that it is told of. */
  private static final class Failing {
    private final Set<String> allowed = ConcurrentHashMap.newKeySet();

    void handle(Delivery delivery, InboxTransaction work) throws Exception {
      if (!allowed.contains(String.valueOf(delivery.id()))) {
        throw new IllegalStateException("not yet");
      }
      InboxDatabase.effect(delivery, work);
    }
  }
}
