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
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A queue that has reached its length refuses what comes until somebody consumes. */
class FullQueueTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final int ROUNDS = 40;

  private final TestRabbit rabbit = TestRabbit.shared();
  private final OutboxDatabase database = new OutboxDatabase(10_000, 4);
  private final String queue = "full-" + UUID.randomUUID();
  private final String other = "other-" + UUID.randomUUID();
  private final KeyedLoad load = new KeyedLoad(database, "rabbitmq:/" + queue, 4);
  private final List<String> consumed = new ArrayList<>();
  private Connection connection;
  private Channel channel;
  private Relay relay;

  @BeforeEach
  void connect() throws Exception {
    connection = rabbit.connectionFactory().newConnection();
    channel = connection.createChannel();
    channel.queueDeclare(other, true, false, false, Map.of());
    relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(RabbitBroker.named("rabbitmq").uri(rabbit.uri().toString()).build())
            .settings(
                DrainSettings.DEFAULTS.withRetry(
                    RetryPolicy.DEFAULTS
                        .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
                        .withMaxAttempts(3)))
            .development()
            .build();
  }

  @AfterEach
  void stop() {
    relay.close();
    connection.abort();
    database.close();
  }

  @ParameterizedTest
  @CsvSource({"classic, 5, false", "classic, 1, true", "quorum, 5, true"})
  void nothingIsGivenUpAndAllDrainsInOrderOnceThereIsRoom(
      String type, int length, boolean besideOthers) throws Exception {
    declare(type, length);
    load.commit(1);
    relay.start();
    if (besideOthers) {
      database.commitOne(4, "rabbitmq:/" + other, "beside");
      await().atMost(LONG).until(() -> channel.messageCount(other) == 1);
    }

    awaitRefusals();
    await()
        .atMost(LONG)
        .until(() -> relay.health().problems().stream().anyMatch(said -> said.contains("nacked")));
    assertThat(relay.health().up()).isFalse();
    assertNothingIsHeldAgainstAMessage();

    // One at a time, so that it is full again and again.
    await()
        .atMost(LONG)
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              consumeOne();
              return consumed.stream().distinct().count() == load.messages();
            });
    load.assertCompleteAndInOrder(consumed);
    await().atMost(LONG).until(() -> relay.health().up());
    assertNothingIsHeldAgainstAMessage();
  }

  @ParameterizedTest
  @CsvSource({"classic", "quorum"})
  void theOnlyOneThatWaitsForAFullQueueIsNotGivenUp(String type) throws Exception {
    declare(type, 1);
    // A quorum queue takes some more than its length.
    channel.confirmSelect();
    do {
      channel.basicPublish("", queue, null, "in the way".getBytes(UTF_8));
    } while (channel.waitForConfirms());
    relay.start();
    database.commitOne(4, "rabbitmq:/" + queue, "k");

    awaitRefusals();

    assertNothingIsHeldAgainstAMessage();
    await()
        .atMost(LONG)
        .until(
            () -> {
              consumeOne();
              return relay.counters().publishedCount() == 1;
            });
    await().atMost(LONG).until(() -> relay.health().up());
  }

  private void declare(String type, int length) throws IOException {
    channel.queueDeclare(
        queue,
        true,
        false,
        false,
        Map.of("x-queue-type", type, "x-max-length", length, "x-overflow", "reject-publish"));
  }

  /** Far more than the attempts that a message has. */
  private void awaitRefusals() {
    long before = relay.counters().count("rabbitmq:/" + queue).unavailable();
    await()
        .atMost(LONG)
        .until(() -> relay.counters().count("rabbitmq:/" + queue).unavailable() >= before + ROUNDS);
  }

  private void assertNothingIsHeldAgainstAMessage() throws Exception {
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
    assertThat(database.number("select coalesce(max(attempts), 0) from twinbox.outbox_parked"))
        .isZero();
  }

  private void consumeOne() throws IOException {
    GetResponse got = channel.basicGet(queue, true);
    if (got != null) {
      consumed.add(new String(got.getBody(), UTF_8));
    }
  }
}
