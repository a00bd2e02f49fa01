package dev.twinbox.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.benchmarks.sides.RawLoopSide;
import dev.twinbox.benchmarks.sides.RelaySide;
import dev.twinbox.benchmarks.sides.SkipLockedSide;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A ratio means something only where both sides send the same bytes. */
class SameRecordsTest {
  private static final int MESSAGES = 40;

  @Test
  void everySideSendsTheSameRecords() throws Exception {
    TestKafka kafka = TestKafka.shared();
    kafka.createTopic("same", 4);
    TestDatabase database = TestPostgres.shared().createDatabase();
    Migrations.apply(database.dataSource());
    try (Connection connection = database.dataSource().getConnection()) {
      Source.create(connection, MESSAGES, 10, 256, "kafka:same");
    }
    Place place =
        new Place(
            Map.of(
                "jdbc", database.jdbcUrl(),
                "kafka", kafka.bootstrapServers(),
                "destination", "kafka:same"));

    Confirms confirms = new Confirms();
    drain(new RelaySide(place, confirms), confirms);
    drain(new RawLoopSide(place, confirms), confirms);
    drain(new SkipLockedSide(place, confirms), confirms);

    Map<String, List<String>> byId =
        kafka.records("same").stream()
            .collect(
                Collectors.groupingBy(
                    SameRecordsTest::id,
                    Collectors.mapping(SameRecordsTest::text, Collectors.toList())));
    assertThat(byId).hasSize(MESSAGES);
    assertThat(byId.values())
        .allSatisfy(
            copies -> {
              assertThat(copies).hasSize(3);
              assertThat(copies.stream().distinct().toList()).hasSize(1);
            });
  }

  private static void drain(Side side, Confirms confirms) throws Exception {
    long before = confirms.count();
    try (side) {
      side.fill(MESSAGES);
      side.start();
      Awaitility.await().until(() -> confirms.count() - before == MESSAGES);
      side.stop();
    }
  }

  private static String id(ConsumerRecord<byte[], byte[]> record) {
    return new String(record.headers().lastHeader("ce_id").value(), UTF_8);
  }

  /** Partition, key, value and each header, in their order. */
  private static String text(ConsumerRecord<byte[], byte[]> record) {
    return record.partition()
        + new String(record.key(), UTF_8)
        + new String(record.value(), UTF_8)
        + Arrays.stream(record.headers().toArray())
            .map(header -> header.key() + "=" + new String(header.value(), UTF_8))
            .toList();
  }
}
