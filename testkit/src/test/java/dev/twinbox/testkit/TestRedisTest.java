package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TestRedisTest {
  @Test
  void aKilledServerComesBackWithWhatItConfirmed() {
    try (TestRedis redis = TestRedis.start()) {
      redis.cli("set", "kept", "yes");
      redis.kill();
      assertThatThrownBy(() -> redis.cli("ping")).isInstanceOf(IllegalStateException.class);

      redis.restart();
      assertThat(redis.cli("get", "kept")).isEqualTo("yes");
    }
  }

  @Test
  void aFrozenServerAnswersAfterwards() {
    try (TestRedis redis = TestRedis.start()) {
      redis.pause();
      CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> redis.cli("ping"));
      assertThat(answer).isNotDone();
      redis.resume();
      assertThat(answer).succeedsWithin(Duration.ofMinutes(1)).isEqualTo("PONG");
    }
  }

  @Test
  void aReplicaIsPromotedWithWhatItHas() {
    try (TestRedis primary = TestRedis.start()) {
      primary.cli("set", "old", "1");
      try (TestRedis replica = TestRedis.replicaOf(primary)) {
        await().until(() -> replica.cli("get", "old").equals("1"));
        replica.pause();
        primary.cli("set", "new", "1");
        primary.kill();
        replica.resume();
        replica.promote();

        assertThat(replica.cli("get", "old")).isEqualTo("1");
        replica.cli("set", "more", "1");
      }
    }
  }
}
