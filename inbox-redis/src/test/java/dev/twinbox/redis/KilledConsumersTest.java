package dev.twinbox.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.testkit.JavaProcess;
import dev.twinbox.testkit.TestRedis;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.UnifiedJedis;

class KilledConsumersTest {
  private static final Logger log = LoggerFactory.getLogger(KilledConsumersTest.class);

  @TempDir Path folder;

  @Test
  void killsOfConsumersLeaveEachEffectInRedisOnceAndExplainEachRepeatedOneElsewhere()
      throws Exception {
    run(5_000, 3, 8);
  }

  @Test
  @Tag("long")
  void sixtyKillsInAHundredThousandMessagesAreLostAndRepeatedNowhereInRedis() throws Exception {
    run(100_000, 4, 60);
  }

  private void run(int messages, int workers, int kills) throws Exception {
    long base = System.currentTimeMillis();
    try (TestRedis redis = TestRedis.start("--appendfsync", "everysec");
        UnifiedJedis client = InboxFixture.client("127.0.0.1", redis.port())) {
      List<JavaProcess> running = new ArrayList<>();
      int[] starts = new int[workers];
      try {
        for (int worker = 0; worker < workers; worker++) {
          running.add(start(redis, base, worker, workers, messages, starts));
        }
        int killed = 0;
        Random random = new Random(7);
        while (killed < kills) {
          long enough = (long) messages * (killed + 1) / (kills + 1);
          await().atMost(Duration.ofMinutes(5)).until(() -> client.hlen("effects") >= enough);
          int victim = random.nextInt(workers);
          if (running.get(victim).isRunning()) { // or else it has finished: another one
            running.get(victim).kill();
            running.set(victim, start(redis, base, victim, workers, messages, starts));
            killed++;
          }
        }
        await().atMost(Duration.ofMinutes(5)).until(() -> client.scard("finished") == workers);
      } finally {
        running.forEach(JavaProcess::close);
      }
      Map<String, String> effects = client.hgetAll("effects");
      assertThat(effects).hasSize(messages);
      assertThat(effects.values()).containsOnly("1");
      log.info(
          "{} messages, {} consumers, {} kills: {} effects elsewhere repeated, each explained",
          messages,
          workers,
          kills,
          explainRepeated(client));
    }
  }

  private JavaProcess start(
      TestRedis redis, long base, int worker, int workers, int messages, int[] starts) {
    Path effects = folder.resolve("worker-%s-run-%s".formatted(worker, starts[worker]++));
    return JavaProcess.of(ConsumingProcess.class.getName(), folder.resolve("log-" + worker))
        .options("-Xmx100m", "-XX:TieredStopAtLevel=1")
        .arguments(
            Integer.toString(redis.port()),
            Long.toString(base),
            Integer.toString(worker),
            Integer.toString(workers),
            Integer.toString(messages),
            effects.toString())
        .start();
  }

  /**
   * Each message has one effect elsewhere under the token that its record names; another one must
   * be of the last batch that a killed process had in work.
   */
  private int explainRepeated(UnifiedJedis client) throws IOException {
    Map<String, Integer> recorded = new HashMap<>();
    int repeated = 0;
    try (var files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().contains("-run-")).toList()) {
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
          String[] words = lines.get(i).split(" ", 2);
          String key =
              "twinbox:"
                  + ConsumingProcess.CONSUMER
                  + ":"
                  + RedisKeys.name(UUID.fromString(words[0]));
          if (words[1].equals(client.get(key))) {
            recorded.merge(words[0], 1, Integer::sum);
          } else {
            repeated++;
            assertThat(lines.size() - i)
                .as("%s of %s, line %s", words[0], file, i)
                .isLessThanOrEqualTo(ConsumingProcess.BATCH);
          }
        }
      }
    }
    assertThat(recorded).hasSize(Math.toIntExact(client.hlen("effects")));
    assertThat(recorded.values()).containsOnly(1);
    return repeated;
  }
}
