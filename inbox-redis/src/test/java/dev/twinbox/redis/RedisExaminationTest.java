package dev.twinbox.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.UnsafeSettingsException;
import dev.twinbox.testkit.TestRedis;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;

class RedisExaminationTest {
  @Test
  void aSafeRedisIsWarnedOfItsMissingReplicaOnly() {
    try (TestRedis redis = TestRedis.start()) {
      assertThat(codes(redis)).containsExactly("no-replica");
      assertThat(diagnosis(redis).refusals()).isEmpty();
    }
  }

  @Test
  void eachDangerIsRefusedWithValueRiskAndRemedy() {
    try (TestRedis redis =
        TestRedis.start("--appendonly", "no", "--maxmemory-policy", "allkeys-lru")) {
      Diagnosis diagnosis = diagnosis(redis);
      assertThat(diagnosis.refusals())
          .extracting(Finding::code)
          .containsExactlyInAnyOrder("append-only-off", "eviction");
      assertThatThrownBy(() -> diagnosis.refuse("Consumer billing"))
          .isInstanceOf(UnsafeSettingsException.class)
          .hasMessageContaining("maxmemory-policy allkeys-lru")
          .hasMessageContaining("take effect again")
          .hasMessageContaining("CONFIG SET maxmemory-policy noeviction");

      redis.cli("config", "set", "maxmemory-policy", "noeviction");
      redis.cli("config", "set", "appendonly", "yes");
      redis.cli("config", "set", "appendfsync", "no");
      assertThat(codes(redis)).contains("append-fsync").doesNotContain("eviction");
    }
  }

  @Test
  void aReplicaIsRefusedAndSoIsOneThatIsWrittenTo() {
    try (TestRedis primary = TestRedis.start();
        TestRedis replica = TestRedis.replicaOf(primary)) {
      assertThat(codes(primary)).containsExactly("min-replicas-to-write");
      assertThat(codes(replica)).containsExactly("replica");
      replica.cli("config", "set", "replica-read-only", "no");
      assertThat(codes(replica)).containsExactly("replica", "replica-writable");
    }
  }

  @Test
  void aUserWithoutARightIsRefused() {
    try (TestRedis redis = TestRedis.start()) {
      redis.cli("acl", "setuser", "weak", "on", ">secret", "~*", "+@all", "-zadd", "-eval");
      Diagnosis diagnosis = diagnosis(URI.create("redis://weak:secret@127.0.0.1:" + redis.port()));
      assertThat(diagnosis.refusals()).extracting(Finding::code).containsExactly("grant-missing");
    }
  }

  @Test
  void aClockThatWentBackIsTold() {
    try (TestRedis redis = TestRedis.start()) {
      long later = System.currentTimeMillis() + 60_000;
      redis.cli("hset", "twinbox:{examined}:consumer", "seen", Long.toString(later));
      assertThat(codes(redis)).contains("clock-went-back");
    }
  }

  @Test
  void whatCannotBeReachedIsUnknown() {
    Diagnosis diagnosis = diagnosis(URI.create("redis://127.0.0.1:1"));
    assertThat(diagnosis.findings())
        .extracting(Finding::code)
        .containsExactly("database-unreachable");
  }

  private static List<String> codes(TestRedis redis) {
    return diagnosis(redis).findings().stream().map(Finding::code).toList();
  }

  private static Diagnosis diagnosis(TestRedis redis) {
    return diagnosis(redis.uri());
  }

  private static Diagnosis diagnosis(URI address) {
    try (UnifiedJedis client = RedisClient.create(address)) {
      return RedisInbox.builder().client(client).consumer("examined").build().examine();
    }
  }
}
