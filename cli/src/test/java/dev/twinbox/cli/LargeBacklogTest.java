package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.testkit.TestKafkaProcesses;
import dev.twinbox.testkit.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A relay with little memory and as many messages before it as nobody wants to see. */
class LargeBacklogTest {
  private static final Duration LONG = Duration.ofMinutes(30);
  private static final int PARTITIONS = 4;

  /** Small, and long enough: a quarter of a minute. */
  private static final long SMALL = 3_000_000;

  /** Not timed: lanes are claimed anew, producers are made, leaders are asked for. */
  private static final long STARTING = 1_000_000;

  @TempDir Path folder;

  private final TestPostgres postgres =
      TestPostgres.builder()
          .setting("max_wal_size", "16GB")
          .setting("checkpoint_timeout", "1h")
          .start();

  /**
   * What was published goes again within seconds, so that the disk and its cache stay as they are.
   */
  private final TestKafkaProcesses kafka =
      TestKafkaProcesses.start(
          1,
          Map.of(
              "log.segment.bytes", "33554432",
              "log.retention.bytes", "67108864",
              "log.retention.check.interval.ms", "500",
              "log.segment.delete.delay.ms", "100"));

  private final OutboxDatabase database = new OutboxDatabase(postgres.createDatabase(), 100_000, 8);

  private record Sample(long nanos, long published) {}

  /** Messages a second. */
  private record Rates(double firstTenth, double lastTenth, double whole) {}

  @AfterEach
  void close() {
    kafka.close();
    database.close();
    postgres.close();
  }

  @Test
  void aQuarterOfAMillionDrainsAtA64MegabyteHeap() throws Exception {
    try (RelayProcess relay = relay("-Xmx64m")) {
      drain(relay, "short", 250_000);
      assertThat(relay.process().isAlive()).isTrue();
    }
  }

  /**
   * The median of three is 0.95 to 1.05 on a quiet machine; the bounds are for a busy one. No drain
   * may crawl: one whose pages walked what they did not read went at a quarter of the speed.
   */
  @Test
  @Tag("long")
  void tenMillionDrainAsFastInTheEndAsInTheBeginningAndAsASmallBacklog() throws Exception {
    List<Double> overTenths = new ArrayList<>();
    List<Double> overSmall = new ArrayList<>();
    try (RelayProcess relay = relay("-Xmx128m")) {
      drain(relay, "warm-up", 1_000_000);
      for (int round = 1; round <= 3; round++) {
        Rates small = drain(relay, "small" + round, SMALL);
        Rates large = drain(relay, "large" + round, 10_000_000);
        overTenths.add(large.firstTenth / large.lastTenth);
        overSmall.add(large.whole / small.whole);
        System.out.printf(
            Locale.ROOT,
            "backlog of 10,000,000: first tenth %.0f/s, last %.0f/s, ratio %.3f; all %.0f/s; of"
                + " 3,000,000 %.0f/s, ratio %.3f%n",
            large.firstTenth,
            large.lastTenth,
            large.firstTenth / large.lastTenth,
            large.whole,
            small.whole,
            large.whole / small.whole);
        assertThat(relay.process().isAlive()).isTrue();
      }
    }
    assertThat(overSmall).allMatch(ratio -> ratio > 0.5);
    assertThat(median(overTenths)).isBetween(0.7, 1.4);
    assertThat(median(overSmall)).isBetween(0.7, 1.4);
  }

  private RelayProcess relay(String heap) throws SQLException {
    for (int leaf = 0; leaf < 8; leaf++) {
      // Never analysed: the plans must not need it.
      database.execute(
          "alter table twinbox.outbox_%s set (autovacuum_enabled = false)".formatted(leaf));
    }
    return RelayProcess.start(
            folder,
            "relay",
            database.database(),
            Duration.ofSeconds(10),
            kafka.bootstrapServers(),
            heap)
        .awaitRunning();
  }

  /**
   * Commits so many messages of 256 bytes at once and waits until Kafka has them all.
   *
   * <p>The relay stands still until they are on the disk. Whoever reads a row for the first time
   * sets its hint bits, which writes its page to the WAL once more after a checkpoint; a backlog of
   * this size brings about the next checkpoint in the middle of its drain.
   */
  private Rates drain(RelayProcess relay, String topic, long messages) throws Exception {
    kafka.createTopic(topic, PARTITIONS);
    relay.signal("STOP");
    try (Connection producer = database.begin();
        Statement statement = producer.createStatement()) {
      statement.execute(
          ("insert into twinbox.outbox (lane, id, destination, key, type, payload) select n %%"
                  + " 10000 %% 4, gen_random_uuid(), 'kafka:%s', 'k' || n %% 10000, 'test',"
                  + " decode(repeat('ab', 256), 'hex') from generate_series(1, %s) n")
              .formatted(topic, messages));
      producer.commit();
    }
    for (int leaf = 0; leaf < 8; leaf++) {
      database.execute("vacuum twinbox.outbox_%s".formatted(leaf));
    }
    database.execute("checkpoint");
    assertThat(new ProcessBuilder("sync").inheritIO().start().waitFor()).isZero();
    relay.signal("CONT");
    List<Sample> samples = new ArrayList<>();
    long published = published(topic);
    while (published < messages) {
      samples.add(new Sample(System.nanoTime(), published));
      assertThat(System.nanoTime() - samples.get(0).nanos).isLessThan(LONG.toNanos());
      TimeUnit.MILLISECONDS.sleep(50);
      published = published(topic);
    }
    samples.add(new Sample(System.nanoTime(), published));
    assertThat(published).isEqualTo(messages);
    kafka.admin().deleteTopics(List.of(topic));
    long begin = Math.min(STARTING, messages / 6);
    System.out.printf(
        Locale.ROOT,
        "%s, thousands a second over twentieths: %s%n",
        topic,
        IntStream.range(0, 20)
            .mapToLong(n -> n * messages / 20)
            .mapToObj(from -> Math.round(rate(samples, from, from + messages / 20) / 1_000))
            .map(String::valueOf)
            .collect(Collectors.joining(" ")));
    return new Rates(
        rate(samples, begin, begin + messages / 10),
        rate(samples, messages - messages / 10, messages),
        rate(samples, begin, messages));
  }

  private static double rate(List<Sample> samples, long from, long to) {
    Sample begin = at(samples, from);
    Sample end = at(samples, to);
    return (end.published - begin.published) * 1e9 / Math.max(1, end.nanos - begin.nanos);
  }

  private static Sample at(List<Sample> samples, long published) {
    return samples.stream().filter(s -> s.published >= published).findFirst().orElseThrow();
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }

  private long published(String topic) {
    return kafka
        .admin()
        .listOffsets(
            IntStream.range(0, PARTITIONS)
                .boxed()
                .collect(
                    Collectors.toMap(n -> new TopicPartition(topic, n), n -> OffsetSpec.latest())))
        .all()
        .toCompletionStage()
        .toCompletableFuture()
        .join()
        .values()
        .stream()
        .mapToLong(ListOffsetsResultInfo::offset)
        .sum();
  }
}
