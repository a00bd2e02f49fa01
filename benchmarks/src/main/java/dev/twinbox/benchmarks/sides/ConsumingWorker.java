package dev.twinbox.benchmarks.sides;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Worker;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.kafka.consumer.KafkaInboxConsumer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * A consumer: with the inbox, or without it, of the same topic from its beginning and with the same
 * handler, which inserts a row.
 */
public final class ConsumingWorker implements Worker {
  private static final int BATCH = 500;
  private static final int LIMIT_SECONDS = 300;

  private final Place place;
  private final String topic;
  private final HikariDataSource pool;

  /** Makes the handler's table. */
  public ConsumingWorker(Place place) throws SQLException {
    this.place = place;
    topic = place.get("destination").substring("kafka:".length());
    pool = Pools.open(place, 6);
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create schema if not exists bench;
          create table if not exists bench.effect (
            id bigint generated always as identity primary key, key text, bytes integer)
          """);
    }
  }

  /** {@code inbox N batch|single} and {@code plain N batch|single} answer messages a second. */
  @Override
  public String obey(String verb, String... arguments) throws Exception {
    Run run = new Run(Long.parseLong(arguments[0]));
    boolean batch = arguments[1].equals("batch");
    switch (verb) {
      case "inbox" -> withInbox(run, batch);
      case "plain" -> without(run, batch);
      default -> throw new IllegalArgumentException("Unknown order " + verb);
    }
    return Double.toString(run.rate());
  }

  @Override
  public void close() {
    pool.close();
  }

  private void withInbox(Run run, boolean batch) throws InterruptedException {
    Inbox inbox =
        Inbox.builder()
            .dataSource(pool)
            .consumer("bench-" + UUID.randomUUID().toString().substring(0, 8))
            .build();
    try (KafkaInboxConsumer consumer =
        KafkaInboxConsumer.builder()
            .inbox(inbox)
            .handler(
                (delivery, work) -> {
                  byte[] payload = delivery.payload();
                  handle(work.connection(), delivery.key(), payload == null ? 0 : payload.length);
                  run.handled();
                })
            .topics(topic)
            .property("bootstrap.servers", place.get("kafka"))
            .property("group.id", "bench-" + UUID.randomUUID())
            .batchSize(batch ? BATCH : 1)
            .development()
            .build()
            .start()) {
      run.await();
    }
  }

  /** As a careful consumer without an inbox: offsets after the commit, once a poll. */
  private void without(Run run, boolean batch) throws SQLException {
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            place.get("kafka"),
            "group.id",
            "bench-" + UUID.randomUUID(),
            "auto.offset.reset",
            "earliest",
            "enable.auto.commit",
            "false",
            "isolation.level",
            "read_committed",
            "max.poll.records",
            BATCH);
    try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes);
        Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      consumer.subscribe(List.of(topic));
      while (!run.isOver()) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
        for (ConsumerRecord<byte[], byte[]> record : records) {
          handle(connection, new String(record.key(), UTF_8), record.value().length);
          if (!batch) {
            connection.commit();
          }
          run.handled();
        }
        connection.commit();
        consumer.commitSync();
      }
      connection.setAutoCommit(true);
    }
  }

  private static void handle(Connection connection, @Nullable String key, int bytes)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement("insert into bench.effect (key, bytes) values (?, ?)")) {
      insert.setString(1, key);
      insert.setInt(2, bytes);
      insert.executeUpdate();
    }
  }

  /**
   * Counts from when the consumer has started up to the last message. What comes first may have
   * been in the hands of a process that died, so the inbox records an attempt of each of the first
   * 200 after the assignment of a partition, or of the first batches that hold these.
   */
  private static final class Run {
    private static final long MOST_OF_START_UP = 1_000;

    private final long expected;
    private final long startUp;
    private final AtomicLong handled = new AtomicLong();
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile long begin;
    private volatile long end;

    Run(long expected) {
      this.expected = expected;
      startUp = Math.min(MOST_OF_START_UP, expected / 2);
    }

    void handled() {
      long count = handled.incrementAndGet();
      if (count == startUp) {
        begin = System.nanoTime();
      } else if (count == expected) {
        end = System.nanoTime();
        over.countDown();
      }
    }

    boolean isOver() {
      return over.getCount() == 0;
    }

    void await() throws InterruptedException {
      if (!over.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException(
            "%s of %s messages were handled in %s s"
                .formatted(handled.get(), expected, LIMIT_SECONDS));
      }
    }

    double rate() {
      return (expected - startUp) * 1e9 / (end - begin);
    }
  }
}
