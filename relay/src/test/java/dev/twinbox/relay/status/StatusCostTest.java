package dev.twinbox.relay.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.status.Status.DestinationLine;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.testkit.TestPostgres;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a status costs does not grow with what waits, also where nothing was ever analysed. */
class StatusCostTest {
  /** Heads of four lanes, parts of four lanes, and the newest. */
  private static final long MOST_ROWS = 4 * 10_001 + 32_000 + 4_000;

  private final OutboxDatabase database =
      new OutboxDatabase(TestPostgres.shared().createDatabase(), 100_000, 8);

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aBacklogIsEstimatedFromABoundedNumberOfRows() throws SQLException {
    estimate(200_000);
  }

  @Test
  @Tag("long")
  void aBacklogOfTenMillionIsEstimatedFromAsManyRows() throws SQLException {
    estimate(10_000_000);
  }

  /** As many as a head has, and more: they came after the floor was last raised. */
  @Test
  void whatWaitsBehindRowsThatAreAllPublishedIsSeen() throws SQLException {
    LaneLog log = database.log(Duration.ofMinutes(1));
    LaneState claimed = log.claim(log.read(0).orElseThrow(), "relay").orElseThrow();
    insertIntoFirstLane("published", 12_000);
    LaneState settled = log.settle(log.open(claimed).orElseThrow()).orElseThrow();
    assertThat(settled.floor()).isZero();
    insertIntoFirstLane("waits", 300);

    Status status = StatusReader.in(database.database().dataSource(), "twinbox").read();

    assertThat(waiting(status, "kafka:published")).isZero();
    assertThat(waiting(status, "kafka:waits")).isBetween(270L, 330L);
  }

  private void insertIntoFirstLane(String topic, int messages) throws SQLException {
    database.execute(
        ("insert into twinbox.outbox (lane, id, destination, type, payload) select 0,"
                + " gen_random_uuid(), 'kafka:%s', 'test', '\\x00' from generate_series(1, %s)")
            .formatted(topic, messages));
  }

  private void estimate(long messages) throws SQLException {
    for (int leaf = 0; leaf < 8; leaf++) {
      database.execute(
          "alter table twinbox.outbox_%s set (autovacuum_enabled = false)".formatted(leaf));
    }
    // The last fifth goes to another destination than the rest, as after a change of traffic.
    database.execute(
        ("insert into twinbox.outbox (lane, id, created_at, destination, type, payload) select"
                + " mod(n, 4), gen_random_uuid(), clock_timestamp() - interval '10 minutes', case when"
                + " n > %1$s * 0.8 then 'kafka:late' when mod(n / 4, 10) = 0 then 'kafka:few' else"
                + " 'kafka:many' end, 'test', '\\x00' from generate_series(1, %1$s) n")
            .formatted(messages));
    long fetched = fetched();

    long began = System.nanoTime();
    Status status = StatusReader.in(database.database().dataSource(), "twinbox").read();
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    System.out.printf(Locale.ROOT, "status of %,d waiting took %s ms%n", messages, took.toMillis());

    assertThat(took).isLessThan(Duration.ofSeconds(20));
    assertThat(waiting(status, "kafka:many")).isBetween(messages * 66 / 100, messages * 78 / 100);
    assertThat(waiting(status, "kafka:few")).isBetween(messages * 6 / 100, messages * 10 / 100);
    assertThat(waiting(status, "kafka:late")).isBetween(messages * 12 / 100, messages * 28 / 100);
    assertThat(status.destinations())
        .allSatisfy(line -> assertThat(line.oldestWaitingSeconds()).isBetween(590.0, 2_000.0));
    assertThat(status.brokers().get(0).waiting())
        .isBetween(messages * 90 / 100, messages * 110 / 100);
    // The server writes down what a session has read when that ends.
    await().atMost(Duration.ofSeconds(20)).until(() -> fetched() > fetched + 10_000);
    assertThat(fetched() - fetched).isLessThan(MOST_ROWS * 2);
    assertThat(database.number(stat("seq_tup_read"))).as("no table is read whole").isZero();
  }

  private long fetched() throws SQLException {
    return database.number(stat("idx_tup_fetch"));
  }

  private static String stat(String column) {
    return "select sum(%s) from pg_stat_user_tables where schemaname = 'twinbox' and relname ~"
            .formatted(column)
        + " '^outbox_[0-9]+$'";
  }

  private static long waiting(Status status, String destination) {
    return status.destinations().stream()
        .filter(line -> line.destination().equals(destination))
        .mapToLong(DestinationLine::waiting)
        .sum();
  }
}
