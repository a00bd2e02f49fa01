package dev.twinbox.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.testkit.TestKafka;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Many messages with random due times, through a real broker. That dates each one when it appends
 * it, by the clock of the machine that the database is on, too.
 */
class DelayedVolumeTest {
  private static final int KEYS = 200;
  private static final int BATCH = 500;

  private final OutboxDatabase database = new OutboxDatabase(100_000, 8);
  private final TestKafka kafka = TestKafka.shared();
  private final String topic = "delayed-" + UUID.randomUUID();
  private final Outbox outbox = Outbox.builder().source("/test").build();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void fiveThousandWithRandomDueTimesComeInTimeAndInOrder() throws Exception {
    deliver(5_000, Duration.ofSeconds(8), Duration.ofSeconds(3));
  }

  @Test
  @Tag("long")
  void aHundredThousandWithRandomDueTimesComeInTimeAndInOrder() throws Exception {
    deliver(100_000, Duration.ofMinutes(4), Duration.ofSeconds(1));
  }

  private void deliver(int messages, Duration over, Duration limit) throws Exception {
    kafka.createTopic(topic, 4, 1, Map.of("message.timestamp.type", "LogAppendTime"));
    Map<String, String> properties = Map.of("bootstrap.servers", kafka.bootstrapServers());
    List<ConsumerRecord<byte[], byte[]>> records;
    try (Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(KafkaBroker.named("kafka").properties(() -> properties).build())
            .outbox(outbox)
            .development()
            .build()
            .start()) {
      enqueue(messages, over);
      await()
          .pollInterval(Duration.ofSeconds(1))
          .atMost(over.plusMinutes(2))
          .until(() -> relay.counters().publishedCount() >= messages);
      records = kafka.records(topic);
    }

    assertThat(records.stream().map(DelayedVolumeTest::id).distinct().count()).isEqualTo(messages);
    assertThat(records).hasSize(messages);
    List<Long> lateness = new ArrayList<>();
    Map<String, Long> lastOfKey = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      long due = Long.parseLong(new String(record.value(), UTF_8));
      lateness.add(record.timestamp() - due / 1_000);
      Long former = lastOfKey.put(new String(record.key(), UTF_8), due);
      assertThat(former == null ? 0 : former).isLessThanOrEqualTo(due);
    }
    lateness.sort(null);
    long p99 = lateness.get(lateness.size() * 99 / 100);
    System.out.printf(
        Locale.ROOT,
        "%,d delayed messages over %s: earliest %s ms, median %s ms, p99 %s ms, latest %s ms"
            + " late%n",
        messages,
        over,
        lateness.get(0),
        lateness.get(lateness.size() / 2),
        p99,
        lateness.get(lateness.size() - 1));
    assertThat(lateness.get(0)).as("milliseconds late").isNotNegative();
    assertThat(p99).as("99 % are at most so many ms late").isLessThanOrEqualTo(limit.toMillis());
  }

  private void enqueue(int messages, Duration over) throws SQLException {
    Random random = new Random(7);
    // Not before all are enqueued: what is due at once comes in the order of enqueueing.
    Instant start = Instant.now().plusSeconds(3).plusNanos(messages * 200_000L);
    long micros = over.toNanos() / 1_000;
    try (Connection producer = database.begin()) {
      for (int batch = 0; batch < messages / BATCH; batch++) {
        List<Message> some = new ArrayList<>(BATCH);
        for (int i = 0; i < BATCH; i++) {
          Instant due = start.plusNanos(1_000 * random.nextLong(micros));
          String text = Long.toString(due.getEpochSecond() * 1_000_000 + due.getNano() / 1_000);
          some.add(
              Message.to("kafka:" + topic)
                  .key("k" + random.nextInt(KEYS))
                  .type("t")
                  .text(text)
                  .deliverAt(due));
        }
        outbox.enqueueAll(producer, some);
        producer.commit();
      }
    }
  }

  private static String id(ConsumerRecord<byte[], byte[]> record) {
    return new String(record.headers().lastHeader("ce_id").value(), UTF_8);
  }
}
