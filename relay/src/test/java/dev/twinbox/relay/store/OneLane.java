package dev.twinbox.relay.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.OutboxDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Lane 0 of an outbox, claimed by {@code relay-1}, and what tests of its windows do with it. */
abstract class OneLane {
  static final Duration LEASE = Duration.ofSeconds(30);

  final OutboxDatabase database = new OutboxDatabase(100, 4);
  final LaneLog log = database.log(LEASE);
  final WindowReader reader = database.reader();
  final ExecutorService threads = Executors.newCachedThreadPool();
  LaneState lane;

  @BeforeEach
  void claim() throws SQLException {
    lane = log.claim(log.read(0).orElseThrow(), "relay-1").orElseThrow();
  }

  @AfterEach
  void close() {
    threads.shutdownNow();
    database.close();
  }

  static List<UUID> ids(WindowReader.Page page) {
    return page.rows().stream().map(row -> row.record().id()).toList();
  }

  /** Another relay claims the lane after the lease has run out. */
  Optional<LaneState> takeOver(LaneState held) throws SQLException {
    LaneLog others = database.log(Duration.ofMillis(1));
    LaneState expiring = others.renew(held).orElseThrow();
    await().until(() -> others.list(List.of("kafka")).get(held.lane()).free());
    return log.claim(expiring, "relay-2");
  }

  /** Opens, reads all, settles. */
  List<UUID> drainWindow() throws SQLException {
    boolean anything = database.reader().poll(lane).anything();
    lane = log.open(lane).orElseThrow();
    List<UUID> ids = read();
    assertThat(anything).as("what a poll saw before").isEqualTo(!ids.isEmpty());
    lane = log.settle(lane).orElseThrow();
    return ids;
  }

  /** All of the open window, in pages of two. */
  List<UUID> read() throws SQLException {
    return read(lane.ceiling());
  }

  /** The same, with pages that look no more than so many positions ahead. */
  List<UUID> read(long span) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    List<String> late = WindowReader.runningAt(lane.done());
    long after = lane.cursor();
    WindowReader.Page page;
    do {
      long upTo = Math.min(lane.ceiling(), Math.max(after, lane.floor()) + span);
      page = reader.page(lane, late, after, upTo, 2, Long.MAX_VALUE);
      page.rows().forEach(row -> ids.add(row.record().id()));
      after = page.upTo();
    } while (!page.isLast());
    return ids;
  }

  static void drawXid(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("select pg_current_xact_id()");
    }
  }

  static void appendUncommitted(Connection connection, long seq) throws SQLException {
    appendUncommitted(connection, 0, seq);
  }

  static void appendUncommitted(Connection connection, int lane, long seq) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "insert into twinbox.outbox_lane_log select lane, %s, 'rival', owner, claim_id, epoch, lease_until, window_number, done, target, floor, next_floor, ceiling, cursor_position, ahead from twinbox.outbox_lane_log where lane = %s and seq = %s"
              .formatted(seq, lane, seq - 1));
    }
  }

  void awaitSomebodyWaits() {
    await()
        .until(
            () ->
                database.number(
                        "select count(*) from pg_stat_activity where datname = current_database()"
                            + " and wait_event_type = 'Lock'")
                    > 0);
  }

  void moveOnToLeaf(int leaf) throws SQLException {
    database.execute("select setval('twinbox.outbox_position', %s)".formatted(leaf * 100 + 1));
  }

  interface Work<T> {
    T run() throws Exception;
  }

  <T> CompletableFuture<T> async(Work<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    threads.execute(
        () -> {
          try {
            result.complete(work.run());
          } catch (Exception e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }
}
