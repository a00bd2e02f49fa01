package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.testkit.KafkaCluster;
import dev.twinbox.testkit.TestKafkaProcesses;
import dev.twinbox.testkit.TestPostgres;
import dev.twinbox.testkit.TestRabbit;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One set of servers for a whole run, each a process of its own, started when first asked for.
 * PostgreSQL flushes at each commit; checkpoints happen when a scenario asks for one, so that they
 * do not fall on one side by chance.
 */
public final class Servers implements AutoCloseable {
  private @Nullable TestPostgres postgres;
  private @Nullable TestPostgres logicalPostgres;
  private @Nullable KafkaCluster kafka;
  private @Nullable TestRabbit rabbit;

  TestPostgres postgres() {
    TestPostgres present = postgres;
    if (present == null) {
      present = builder().start();
      postgres = present;
    }
    return present;
  }

  /** Another one that writes what logical decoding needs; the others would pay for it. */
  TestPostgres logicalPostgres() {
    TestPostgres present = logicalPostgres;
    if (present == null) {
      present = builder().setting("wal_level", "logical").start();
      logicalPostgres = present;
    }
    return present;
  }

  KafkaCluster kafka() {
    KafkaCluster present = kafka;
    if (present == null) {
      present = TestKafkaProcesses.start(1, Map.of("log.segment.bytes", "268435456"));
      kafka = present;
    }
    return present;
  }

  TestRabbit rabbit() {
    TestRabbit present = rabbit;
    if (present == null) {
      present = TestRabbit.start();
      rabbit = present;
    }
    return present;
  }

  @Override
  public void close() {
    if (rabbit != null) {
      rabbit.close();
    }
    if (kafka != null) {
      kafka.close();
    }
    if (logicalPostgres != null) {
      logicalPostgres.close();
    }
    if (postgres != null) {
      postgres.close();
    }
  }

  private static TestPostgres.Builder builder() {
    return TestPostgres.builder()
        .setting("shared_buffers", "512MB")
        .setting("max_wal_size", "16GB")
        .setting("checkpoint_timeout", "1h")
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("pg_stat_statements.track", "none");
  }
}
