package dev.twinbox.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.Broker;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.testkit.TestKafka;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A real broker that refuses the time of what is published. */
@Timeout(180)
class RefusedTimeTest {
  private static final int MESSAGES = 40;
  private static final Duration LONG = Duration.ofMinutes(1);

  private final TestKafka kafka = TestKafka.shared();
  private final String topic = "topic-" + UUID.randomUUID();
  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private final Relay relay =
      Relay.builder()
          .dataSource(database.dataSource())
          .broker(broker())
          .settings(
              DrainSettings.DEFAULTS.withRetry(
                  RetryPolicy.DEFAULTS
                      .withPauses(Duration.ofMillis(10), Duration.ofMillis(100))
                      .withMaxAttempts(2)))
          .development()
          .build();

  @AfterEach
  void close() {
    relay.close();
    database.close();
  }

  @Test
  void nothingIsADeadLetterAndAllIsPublishedOnceTheTopicTakesTheTime() throws Exception {
    // Whatever takes a millisecond on its way is too old.
    kafka.createTopic(topic, 1, 1, Map.of("message.timestamp.before.max.ms", "0"));
    for (int i = 0; i < MESSAGES; i++) {
      database.commitOne(i % 4, "kafka:" + topic, "k" + i);
    }
    relay.start();

    await()
        .atMost(LONG)
        .untilAsserted(
            () ->
                assertThat(relay.health().problems())
                    .anySatisfy(
                        said ->
                            assertThat(said)
                                .contains("wrong-clock", "message.timestamp.before.max.ms")));
    await()
        .during(Duration.ofSeconds(3))
        .atMost(Duration.ofSeconds(20))
        .until(() -> deadLetters() == 0);
    assertThat(relay.counters().publishedCount()).isLessThan(MESSAGES);
    await().atMost(LONG).until(() -> !relay.health().up());

    takeAnyTime();

    await().atMost(LONG).until(() -> relay.counters().publishedCount() == MESSAGES);
    await().atMost(LONG).until(() -> relay.health().up());
    assertThat(deadLetters()).isZero();
    assertThat(kafka.records(topic).stream().map(record -> new String(record.key(), UTF_8)))
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, MESSAGES).mapToObj(i -> "k" + i).toList());
  }

  private long deadLetters() throws Exception {
    return database.number("select count(*) from twinbox.outbox_dead_letter");
  }

  private void takeAnyTime() throws Exception {
    ConfigEntry any =
        new ConfigEntry("message.timestamp.before.max.ms", Long.toString(Long.MAX_VALUE));
    kafka
        .admin()
        .incrementalAlterConfigs(
            Map.of(
                new ConfigResource(ConfigResource.Type.TOPIC, topic),
                List.of(new AlterConfigOp(any, AlterConfigOp.OpType.SET))))
        .all()
        .get();
  }

  private Broker broker() {
    Map<String, String> settings = Map.of("bootstrap.servers", kafka.bootstrapServers());
    return KafkaBroker.named("kafka").properties(() -> settings).build();
  }
}
