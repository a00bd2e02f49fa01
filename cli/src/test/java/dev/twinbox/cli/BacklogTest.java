package dev.twinbox.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.KeyedLoad;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.testkit.TestKafkaProcesses;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that is away while messages pile up, and comes back. */
class BacklogTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final Pattern AFTER_COLLECTION = Pattern.compile("Pause Full.*->(\\d+)M\\(");

  @TempDir Path folder;

  private final TestKafkaProcesses kafka = TestKafkaProcesses.start(1);
  private final OutboxDatabase database =
      new OutboxDatabase(TestPostgres.shared().createDatabase(), 100_000, 8);

  @AfterEach
  void close() {
    kafka.close();
    database.close();
  }

  @Test
  void aBacklogOfABrokerThatIsDownCostsNoAttemptsAndDrainsByItself() throws Exception {
    pileUpAndDrain(40_000, "-Xmx160m", Duration.ofSeconds(10), Duration.ofSeconds(60));
  }

  /** The first message goes out within 5 s: the longest pause is 4 s. */
  @Test
  @Tag("long")
  void aMillionMessagesPileUpAtAFlatHeapAndTheFirstGoesOutWithinFiveSeconds() throws Exception {
    pileUpAndDrain(1_000_000, "-Xmx256m", Duration.ofMinutes(2), Duration.ofSeconds(5));
  }

  private void pileUpAndDrain(int messages, String heap, Duration outage, Duration firstWithin)
      throws Exception {
    kafka.createTopic("orders", 4);
    KeyedLoad load = new KeyedLoad(database, "kafka:orders", 0);
    load.commit(1);
    try (RelayProcess relay =
        RelayProcess.start(
                folder,
                "relay",
                database.database(),
                Duration.ofSeconds(10),
                kafka.bootstrapServers(),
                heap)
            .awaitRunning()) {
      await().atMost(LONG).until(() -> published() == load.messages());
      kafka.kill(0);
      load.commit(messages / 40);
      await().pollDelay(outage).atMost(outage.plus(LONG)).until(relay.process()::isAlive);
      assertNothingWasWritten();

      kafka.startBroker(0);
      long back = System.nanoTime();
      await().pollInterval(Duration.ofMillis(100)).atMost(LONG).until(() -> published() > 40);
      Duration first = Duration.ofNanos(System.nanoTime() - back);
      System.out.println("first publication " + first.toMillis() + " ms after the return");
      await().atMost(LONG).until(() -> published() >= load.messages());

      assertThat(first).isLessThan(firstWithin);
      assertNothingWasWritten();
      assertThat(relay.process().isAlive()).isTrue();
      assertThat(heapAfterCollections()).allMatch(used -> used < limit(heap) * 3 / 4);
    }
    load.assertCompleteAndInOrder(
        kafka.records("orders").stream().map(r -> new String(r.value(), UTF_8)).toList());
  }

  private void assertNothingWasWritten() throws SQLException {
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
    assertThat(database.number("select count(*) from twinbox.outbox_parked")).isZero();
  }

  /**
   * Megabytes in use after each full collection: after others what is dead in the old part still
   * counts. Without a full one the heap was never short.
   */
  private List<Integer> heapAfterCollections() throws IOException {
    return AFTER_COLLECTION
        .matcher(Files.readString(folder.resolve("relay.gc")))
        .results()
        .map(found -> Integer.parseInt(found.group(1)))
        .toList();
  }

  private static int limit(String heap) {
    return Integer.parseInt(heap.replaceAll("\\D", ""));
  }

  private long published() {
    return kafka
        .admin()
        .listOffsets(
            IntStream.range(0, 4)
                .boxed()
                .collect(
                    Collectors.toMap(
                        n -> new TopicPartition("orders", n), n -> OffsetSpec.latest())))
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
