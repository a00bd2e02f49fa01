package dev.twinbox.relay.faults;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.relay.KeyedLoad;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.testkit.TestKafkaProcesses;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Three brokers in processes of their own, which are killed under the relay. */
class KafkaClusterFaultsTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static TestKafkaProcesses kafka;

  private final OutboxDatabase database = new OutboxDatabase(10_000, 4);
  private final String topic = "orders-" + UUID.randomUUID();
  private final KeyedLoad load = new KeyedLoad(database, "kafka:" + topic, 0);
  private Relay relay;

  @BeforeAll
  static void startBrokers() {
    kafka = TestKafkaProcesses.start(3);
  }

  @AfterAll
  static void stopBrokers() {
    kafka.close();
  }

  @BeforeEach
  void startRelay() {
    kafka.createTopic(topic, 3, 3, Map.of("min.insync.replicas", "2"));
    Properties client = new Properties();
    client.setProperty("bootstrap.servers", kafka.bootstrapServers());
    relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(KafkaBroker.named("kafka").properties(client).build())
            .build()
            .start();
  }

  @AfterEach
  void stop() {
    relay.close();
    database.close();
  }

  @Test
  void aKilledLeaderLosesNothingAndTurnsNothingRound() throws Exception {
    load.commit(50);
    await().atMost(LONG).until(() -> relay.counters().publishedCount() > 200);
    int leader = leader();

    kafka.kill(leader);
    load.commit(50);
    await().atMost(LONG).until(() -> relay.counters().publishedCount() >= load.messages());
    kafka.startBroker(leader);
    load.commit(1);

    await().atMost(LONG).until(() -> KeyedLoad.distinct(payloads()) == load.messages());
    load.assertCompleteAndInOrder(payloads());
  }

  @Test
  void withTooFewReplicasNothingIsConfirmedAndEverythingDrainsByItselfAfterwards()
      throws Exception {
    kafka
        .admin()
        .incrementalAlterConfigs(
            Map.of(
                new ConfigResource(ConfigResource.Type.TOPIC, topic),
                List.of(
                    new AlterConfigOp(
                        new ConfigEntry("min.insync.replicas", "3"), AlterConfigOp.OpType.SET))))
        .all()
        .get();
    load.commit(2);
    await().atMost(LONG).until(() -> relay.counters().publishedCount() == load.messages());
    int follower = (leader() + 1) % 3;
    kafka.kill(follower);
    long before = relay.counters().publishedCount();
    load.commit(5);

    await()
        .during(Duration.ofSeconds(5))
        .atMost(LONG)
        .until(() -> relay.counters().publishedCount() == before);
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();

    kafka.startBroker(follower);
    await().atMost(LONG).until(() -> relay.counters().publishedCount() >= load.messages());
    load.assertCompleteAndInOrder(payloads());
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
    assertThat(database.number("select coalesce(max(attempts), 0) from twinbox.outbox_parked"))
        .isZero();
  }

  private int leader() throws Exception {
    return kafka
        .admin()
        .describeTopics(List.of(topic))
        .allTopicNames()
        .get()
        .get(topic)
        .partitions()
        .get(0)
        .leader()
        .id();
  }

  private List<String> payloads() {
    return kafka.records(topic).stream().map(record -> new String(record.value(), UTF_8)).toList();
  }
}
