package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is loaded and not yet confirmed is bounded by what it takes, whichever column has it. */
class MemoryInFlightTest {
  private static final int BYTES = 31_000;

  /** A stop waits for nothing, since nothing comes. */
  private static final DrainSettings NO_WAITING =
      new DrainSettings(
          DrainSettings.DEFAULTS.pageRows(),
          DrainSettings.DEFAULTS.pageBytes(),
          DrainSettings.DEFAULTS.rowsInFlight(),
          DrainSettings.DEFAULTS.bytesInFlight(),
          DrainSettings.DEFAULTS.lease(),
          DrainSettings.DEFAULTS.shortestPoll(),
          DrainSettings.DEFAULTS.longestPoll(),
          DrainSettings.DEFAULTS.retry(),
          Duration.ofMillis(100));

  private final OutboxDatabase database = new OutboxDatabase(10_000, 4);

  @AfterEach
  void close() {
    database.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "headers | array['name', repeat('x', 31000)]",
        "headers | array_fill('v'::text, array[1000])",
        "payload | convert_to(repeat('x', 31000), 'UTF8')",
        "content_type | repeat('x', 31000)",
        "type | repeat('x', 31000)",
      })
  void aPageEndsWhenItsBytesAreReached(String column, String value) throws SQLException {
    insert(500, column, value);
    LaneLog log = database.log(Duration.ofSeconds(60));
    LaneState lane =
        log.open(log.claim(log.read(0).orElseThrow(), "r").orElseThrow()).orElseThrow();

    WindowReader.Page page =
        database.reader().page(lane, List.of(), 0, lane.ceiling(), 2_500, 1L << 20);

    assertThat(page.isLast()).isFalse();
    assertThat(page.rows()).hasSizeBetween(10, 40);
    assertThat(page.rows()).allSatisfy(row -> assertThat(row.record().size()).isGreaterThan(BYTES));
  }

  @Test
  void headersCountAsWhatIsInFlight() throws Exception {
    insert(4_000, "headers", "array['name', repeat('x', 31000)]");
    AtomicLong handedOver = new AtomicLong();
    Broker silent = silent(handedOver);
    Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(silent)
            .settings(NO_WAITING)
            .build()
            .start();
    try {
      await().until(() -> handedOver.get() > 100L * BYTES);
      await()
          .during(Duration.ofSeconds(2))
          .atMost(Duration.ofSeconds(20))
          .until(() -> handedOver.get() < 20L << 20);
    } finally {
      relay.close();
    }
  }

  private void insert(int count, String column, String value) throws SQLException {
    String more = column.equals("type") ? "" : ", " + column;
    database.execute(
        "insert into twinbox.outbox (lane, id, destination, key, type"
            + more
            + ") select 0, gen_random_uuid(), 'kafka:test', 'k' || n % 100, "
            + (more.isEmpty() ? value : "'test', " + value)
            + " from generate_series(1, "
            + count
            + ") n");
  }

  /** One that takes everything and confirms nothing. */
  private static Broker silent(AtomicLong handedOver) {
    return new Broker() {
      @Override
      public String name() {
        return "kafka";
      }

      @Override
      public Publisher open(int lane) {
        return new Publisher() {
          @Override
          public void publish(OutboxRecord record, OutcomeListener listener) {
            handedOver.addAndGet(BYTES);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
      }

      @Override
      public void close() {}
    };
  }
}
