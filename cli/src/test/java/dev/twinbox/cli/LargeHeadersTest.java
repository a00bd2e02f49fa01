package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.testkit.TestKafka;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Headers count as memory: a relay of a bounded heap drains them all. */
@Tag("long")
class LargeHeadersTest {
  private static final int MESSAGES = 12_000;

  private final OutboxDatabase database = new OutboxDatabase(1_000_000, 4);
  private final TestKafka kafka = TestKafka.shared();
  private final String topic = "headers-" + UUID.randomUUID();
  @TempDir Path folder;

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void twelveThousandMessagesWith31KilobytesOfHeadersFitIntoHalfAGigabyte() throws Exception {
    kafka.createTopic(topic, 1);
    database.execute(
        "insert into twinbox.outbox (lane, id, destination, key, type, headers) select n % 4,"
            + " gen_random_uuid(), 'kafka:%s', 'k' || n, 'test', array['name', repeat('x', 31000)]"
                .formatted(topic)
            + " from generate_series(1, %s) n".formatted(MESSAGES));

    try (RelayProcess relay =
        RelayProcess.start(
            folder,
            "relay",
            database.database(),
            Duration.ofSeconds(10),
            kafka.bootstrapServers(),
            "-Xmx512m")) {
      relay.awaitRunning();
      await().atMost(Duration.ofMinutes(5)).until(() -> published() >= MESSAGES);

      assertThat(relay.process().isAlive()).isTrue();
      assertThat(relay.said("OutOfMemoryError")).isFalse();
    }
    assertThat(published()).isEqualTo(MESSAGES);
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
  }

  private long published() throws Exception {
    TopicPartition only = new TopicPartition(topic, 0);
    return kafka
        .admin()
        .listOffsets(Map.of(only, OffsetSpec.latest()))
        .partitionResult(only)
        .get()
        .offset();
  }
}
