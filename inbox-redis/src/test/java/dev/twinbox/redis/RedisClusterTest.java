package dev.twinbox.redis;

import static dev.twinbox.inbox.Messages.delivery;
import static dev.twinbox.inbox.Messages.id;
import static dev.twinbox.redis.InboxFixture.receive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.testkit.TestRedis;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;

/** Three primaries, the first of them with a replica. */
class RedisClusterTest {
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt DUPLICATE = new Receipt.Duplicate();
  private static final Duration LONG = Duration.ofMinutes(3);
  private static final int SLOTS = 16_384;
  private static final int PRIMARIES = 3;
  private static final List<TestRedis> nodes = new ArrayList<>();

  @BeforeAll
  static void start() {
    for (int i = 0; i <= PRIMARIES; i++) {
      nodes.add(TestRedis.start("--cluster-enabled", "yes", "--cluster-node-timeout", "3000"));
    }
    TestRedis first = nodes.get(0);
    for (int i = 0; i < PRIMARIES; i++) {
      int from = SLOTS * i / PRIMARIES;
      int to = SLOTS * (i + 1) / PRIMARIES - 1;
      nodes.get(i).cli("cluster", "addslotsrange", Integer.toString(from), Integer.toString(to));
      nodes.get(i + 1).cli("cluster", "meet", "127.0.0.1", Integer.toString(first.port()));
    }
    TestRedis replica = nodes.get(PRIMARIES);
    String id = first.cli("cluster", "myid");
    await().atMost(LONG).until(() -> replica.cli("cluster", "nodes").contains(id));
    replica.cli("cluster", "replicate", id);
    for (TestRedis node : nodes) {
      await()
          .atMost(LONG)
          .until(
              () ->
                  node.cli("cluster", "info").contains("cluster_state:ok")
                      && node.cli("cluster", "nodes").lines().count() == nodes.size());
    }
    await()
        .atMost(LONG)
        .until(() -> replica.cli("info", "replication").contains("master_link_status:up"));
  }

  @AfterAll
  static void stop() {
    nodes.forEach(TestRedis::close);
  }

  @Test
  void recordAndEffectsLieInTheSlotOfTheKey() {
    try (RedisClusterClient client = client()) {
      Receiver receiver =
          inbox(client, "billing")
              .build()
              .exactlyOnceInRedis(
                  (d, work) -> work.commands().call("INCR", "{" + d.key() + "}:balance"));
      List<Delivery> batch = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        batch.add(delivery(id(), "k" + i % 10));
      }
      assertThat(receive(receiver, batch)).containsOnly(PROCESSED);
      assertThat(receive(receiver, batch)).containsOnly(DUPLICATE);
      assertThat(client.get("{k3}:balance")).isEqualTo("10");
    }
  }

  @Test
  void anyKeyMayRepeatInABatch() {
    try (RedisClusterClient client = client()) {
      Receiver receiver = inbox(client, "any-key").build().atLeastOnce((d, work) -> {});
      for (String key : List.of("plain", "", "}odd", "{odd", "a}b", "{}")) {
        List<Delivery> batch =
            List.of(delivery(id(), key), delivery(id(), key), delivery(id(), key));
        assertThat(receive(receiver, batch)).as(key).containsOnly(PROCESSED);
      }
    }
  }

  @Test
  void aFailoverOfOneNodeIsFollowedWithoutRepeatingAnything() {
    try (RedisClusterClient client = client()) {
      Receiver receiver =
          inbox(client, "failover")
              .build()
              .exactlyOnceInRedis((d, work) -> work.commands().call("INCR", "{" + d.key() + "}:n"));
      List<Delivery> batch = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        batch.add(delivery(id(), "f" + i));
      }
      assertThat(receive(receiver, batch)).containsOnly(PROCESSED);
      TestRedis replica = nodes.get(PRIMARIES);
      await().atMost(LONG).until(() -> replica.cli("dbsize").equals(nodes.get(0).cli("dbsize")));
      nodes.get(0).kill();

      await()
          .atMost(LONG)
          .ignoreExceptions()
          .untilAsserted(() -> assertThat(receive(receiver, batch)).containsOnly(DUPLICATE));
      for (int i = 0; i < 60; i++) {
        Delivery more = delivery(id(), "f" + i);
        assertThat(receive(receiver, more)).isEqualTo(PROCESSED);
        assertThat(client.get("{f" + i + "}:n")).isEqualTo("2");
      }
      nodes.get(0).restart();
    }
  }

  /** Knows the second node only; learns of the others from it. */
  private static RedisClusterClient client() {
    return RedisClusterClient.builder()
        .nodes(Set.of(new HostAndPort("127.0.0.1", nodes.get(1).port())))
        .clientConfig(DefaultJedisClientConfig.builder().timeoutMillis(2_000).build())
        .build();
  }

  private static RedisInbox.Builder inbox(RedisClusterClient client, String consumer) {
    return RedisInbox.builder().client(client).consumer(consumer);
  }
}
