package dev.twinbox.rabbitmq.publisher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.Records;
import dev.twinbox.rabbitmq.RabbitRoute;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RabbitMQ's own expiration: only where what expires is kept for certain. */
class ExpirationRoutesTest {
  private static final Map<String, Object> SAFE =
      Map.of(
          "x-queue-type",
          "quorum",
          "x-dead-letter-exchange",
          "",
          "x-dead-letter-strategy",
          "at-least-once",
          "x-overflow",
          "reject-publish");

  private final TestRabbit rabbit = TestRabbit.shared();
  private final String queue = "expiring-" + UUID.randomUUID();
  private final String dead = "dead-" + UUID.randomUUID();
  private final Outcomes outcomes = new Outcomes();
  private Connection connection;
  private Channel channel;

  @BeforeEach
  void connect() throws IOException, TimeoutException {
    connection = rabbit.connectionFactory().newConnection();
    channel = connection.createChannel();
    channel.queueDeclare(dead, true, false, false, Map.of());
  }

  @AfterEach
  void close() throws IOException {
    channel.queueDelete(queue);
    channel.queueDelete(dead);
    connection.close();
  }

  @Test
  void whereADeadLetterRouteWasVerifiedTheMessageExpiresInItsQueueAndIsKept() throws IOException {
    channel.queueDeclare(queue, true, false, false, safeBut("x-dead-letter-routing-key", dead));
    try (RabbitBroker broker = examined(builder().setExpiration().build());
        Publisher publisher = broker.open(4)) {
      await().atMost(Duration.ofSeconds(30)).until(() -> expirationOf(publisher) != null);

      OutboxRecord last = publish(publisher, Duration.ofMillis(500));
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> last.id().toString().equals(idIn(channel.basicGet(dead, true))));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"x-dead-letter-exchange", "x-dead-letter-strategy", "routing"})
  void elsewhereItCarriesNone(String missing) throws IOException {
    Map<String, Object> arguments = safeBut("x-dead-letter-routing-key", dead);
    if (missing.equals("routing")) {
      arguments.put("x-dead-letter-routing-key", "no-such-queue");
    } else {
      arguments.remove(missing);
      arguments.remove("x-dead-letter-strategy");
      if (missing.equals("x-dead-letter-exchange")) {
        arguments.remove("x-dead-letter-routing-key");
      }
    }
    channel.queueDeclare(queue, true, false, false, arguments);
    RabbitBroker broker = builder().setExpiration().build();
    RabbitRoute route = new RabbitRoute("", queue);
    ExpirationRoutes routes = new ExpirationRoutes(broker);

    await()
        .during(Duration.ofSeconds(1))
        .atMost(Duration.ofSeconds(10))
        .until(() -> !routes.test(route));
    broker.close();
  }

  @Test
  void withoutBeingAskedForItIsNeverSet() throws IOException {
    channel.queueDeclare(queue, true, false, false, safeBut("x-dead-letter-routing-key", dead));
    RabbitBroker plain = builder().build();
    plain.expirationWhere(any -> true);
    try (Publisher publisher = plain.open(4)) {
      assertThat(expirationOf(publisher)).isNull();
    }
    plain.close();
  }

  private static RabbitBroker examined(RabbitBroker broker) {
    broker.examineWhilePublishing();
    return broker;
  }

  private Map<String, Object> safeBut(String name, Object value) {
    Map<String, Object> arguments = new HashMap<>(SAFE);
    arguments.put(name, value);
    return arguments;
  }

  private RabbitBroker.Builder builder() {
    return RabbitBroker.named("rabbitmq")
        .properties(
            Map.of(
                "uri",
                rabbit.uri().toString(),
                "management.uri",
                rabbit.managementUri().toString()));
  }

  /** What a message that is published now carries. */
  private @Nullable String expirationOf(Publisher publisher) throws IOException {
    publish(publisher, Duration.ofMinutes(1));
    GetResponse arrived = channel.basicGet(queue, true);
    return arrived == null ? null : arrived.getProps().getExpiration();
  }

  private OutboxRecord publish(Publisher publisher, Duration timeLeft) {
    OutboxRecord record = Records.record("rabbitmq:/" + queue, "k", "x");
    long deadline = System.nanoTime() + timeLeft.toNanos();
    publisher.publish(
        record,
        new OutcomeListener() {
          @Override
          public void settled(OutboxRecord settled, Outcome outcome) {
            outcomes.settled(settled, outcome);
          }

          @Override
          public Long deadline() {
            return deadline;
          }
        });
    publisher.flush();
    assertThat(outcomes.of(record)).isEqualTo(Outcome.PUBLISHED);
    return record;
  }

  private static @Nullable String idIn(@Nullable GetResponse message) {
    return message == null ? null : message.getProps().getMessageId();
  }
}
