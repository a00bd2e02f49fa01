package dev.twinbox.relay.faults;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.relay.KeyedLoad;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A node of its own, killed under the relay, and a connection on which confirms are lost. */
class RabbitFaultsTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static TestRabbit rabbit;

  private final OutboxDatabase database = new OutboxDatabase(10_000, 4);
  private final String queue = "orders-" + UUID.randomUUID();
  private final KeyedLoad load = new KeyedLoad(database, "rabbitmq:/" + queue, 4);
  private final FaultProxy proxy = FaultProxy.to(rabbit.host(), rabbit.port());
  private Relay relay;

  @BeforeAll
  static void startNode() {
    rabbit = TestRabbit.start();
  }

  @AfterAll
  static void stopNode() {
    rabbit.close();
  }

  @BeforeEach
  void startRelay() throws IOException, TimeoutException {
    try (Connection connection = rabbit.connectionFactory().newConnection();
        Channel channel = connection.createChannel()) {
      channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
    }
    // That the queue exists is written some seconds later by RabbitMQ, unlike a confirmed message.
    rabbit.control("stop_app");
    rabbit.control("start_app");
    relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(
                RabbitBroker.named("rabbitmq")
                    .uri(
                        "amqp://%s:%s@localhost:%s"
                            .formatted(rabbit.user(), rabbit.password(), proxy.port()))
                    .confirmTimeout(Duration.ofSeconds(10))
                    .build())
            .build()
            .start();
  }

  @AfterEach
  void stop() {
    relay.close();
    proxy.close();
    database.close();
  }

  @Test
  void everyConfirmedMessageIsThereAfterTheNodeWasKilledAndRestarted() throws Exception {
    load.commit(20);
    await().atMost(LONG).until(() -> relay.counters().publishedCount() > 100);

    rabbit.kill();
    load.commit(20);
    rabbit.restart();

    await().atMost(LONG).until(() -> relay.counters().publishedCount() >= load.messages());
    load.assertCompleteAndInOrder(payloads());
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
  }

  @Test
  void aMessageWhoseConfirmWasLostIsPublishedAgain() throws Exception {
    load.commit(1);
    await().atMost(LONG).until(() -> relay.counters().publishedCount() == load.messages());

    proxy.dropResponses();
    load.commit(2);
    await()
        .during(Duration.ofSeconds(1))
        .atMost(LONG)
        .until(() -> relay.counters().publishedCount() < load.messages());
    proxy.restore();

    await().atMost(LONG).until(() -> relay.counters().publishedCount() >= load.messages());
    List<String> payloads = payloads();
    load.assertCompleteAndInOrder(payloads);
    assertThat(payloads).as("with repeats").hasSizeGreaterThan(load.messages());
  }

  private List<String> payloads() throws IOException, TimeoutException {
    List<String> payloads = new ArrayList<>();
    try (Connection connection = rabbit.connectionFactory().newConnection();
        Channel channel = connection.createChannel()) {
      for (GetResponse got = channel.basicGet(queue, true);
          got != null;
          got = channel.basicGet(queue, true)) {
        payloads.add(new String(got.getBody(), UTF_8));
      }
    }
    return payloads;
  }
}
