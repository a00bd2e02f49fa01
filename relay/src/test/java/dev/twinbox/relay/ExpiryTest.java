package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Expiry from end to end, with a broker that does not answer for a while. */
class ExpiryTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int MESSAGES = 200;

  private final OutboxDatabase database = new OutboxDatabase(100_000, 4);
  private final TestRabbit rabbit = TestRabbit.shared();
  private final FaultProxy proxy = FaultProxy.to(rabbit.host(), rabbit.port());
  private final String queue = "expiry-" + UUID.randomUUID();
  private final Outbox outbox = Outbox.builder().source("/test").build();

  @AfterEach
  void close() {
    proxy.close();
    database.close();
  }

  @Test
  void whileTheBrokerIsFrozenNothingThatExpiresReachesIt() throws Exception {
    try (Connection connection = rabbit.connectionFactory().newConnection();
        Channel channel = connection.createChannel()) {
      channel.queueDeclare(queue, true, false, false, Map.of());
      proxy.freeze();
      try (Relay relay = start()) {
        enqueue();
        // Not yet those behind an undecided message of their key.
        await().atMost(LONG).until(() -> relay.counters().expiredCount() == MESSAGES / 4);
        proxy.thaw();
        await().atMost(LONG).until(() -> relay.counters().publishedCount() == MESSAGES / 2);
        await().atMost(LONG).until(() -> relay.counters().expiredCount() == MESSAGES / 2);
        assertThat(
                database.number(
                    "select count(*) from twinbox.outbox_dead_letter where reason = 'expired'"))
            .isEqualTo(MESSAGES / 2);
      }

      List<String> arrived = new ArrayList<>();
      for (GetResponse next = channel.basicGet(queue, true);
          next != null;
          next = channel.basicGet(queue, true)) {
        arrived.add(next.getProps().getType());
      }
      assertThat(arrived).hasSizeGreaterThanOrEqualTo(MESSAGES / 2).containsOnly("kept");
      channel.queueDelete(queue);
    }
  }

  private void enqueue() throws Exception {
    Message message = Message.to("rabbitmq:/" + queue).text("x");
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < MESSAGES; i++) {
      Message expiring = message.type("expires").ttl(Duration.ofMillis(700));
      String key = "k" + i / 4 % 10;
      messages.add(
          switch (i % 4) {
            case 0 -> expiring.key("e" + key);
            case 3 -> expiring.key(key);
            default -> message.type("kept").key(key);
          });
    }
    try (java.sql.Connection producer = database.begin()) {
      outbox.enqueueAll(producer, messages);
      producer.commit();
    }
  }

  private Relay start() {
    Map<String, String> properties =
        Map.of(
            "host",
            "127.0.0.1",
            "port",
            Integer.toString(proxy.port()),
            "username",
            rabbit.user(),
            "password",
            rabbit.password(),
            "connection.timeout",
            "2000",
            "handshake.timeout",
            "2000");
    return Relay.builder()
        .dataSource(database.dataSource())
        .broker(RabbitBroker.named("rabbitmq").properties(properties).build())
        .development()
        .build()
        .start();
  }
}
