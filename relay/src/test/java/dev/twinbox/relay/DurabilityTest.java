package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** No ghosts: what is published is on disk, and on the synchronous standby, before. */
class DurabilityTest {
  private static final String LOG_END = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn";
  private static final String ON_DISK = "select pg_current_wal_flush_lsn() - '0/0'::pg_lsn";

  @Test
  void nothingIsPublishedThatACrashOfPostgresErased() throws Exception {
    crash(6);
  }

  @Test
  @Tag("long")
  void nothingIsPublishedThatAnyOfFiftyCrashesOfPostgresErased() throws Exception {
    crash(50);
  }

  private static void crash(int crashes) throws Exception {
    Random random = new Random(2026);
    // Commits that do not wait for the disk stay off it for long.
    try (TestPostgres server =
            TestPostgres.builder().setting("wal_writer_delay", "10000ms").start();
        MemoryBroker broker = new MemoryBroker()) {
      OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 100_000, 4);
      database.execute("create table committed (id uuid primary key)");
      int publishedBefore = 0;
      long erased = 0;
      for (int crash = 0; crash < crashes; crash++) {
        Set<UUID> acknowledged = new HashSet<>();
        AtomicBoolean over = new AtomicBoolean();
        OutboxDatabase connected = database.reconnected();
        Relay relay =
            Relay.builder()
                .dataSource(connected.dataSource())
                .broker(broker.borrowed())
                .lease(Duration.ofSeconds(1))
                .build()
                .start();
        Thread producer = new Thread(() -> produce(database, acknowledged, over));
        producer.start();
        int soFar = publishedBefore;
        await().atMost(Duration.ofSeconds(30)).until(() -> broker.count() > soFar + 50);
        LockSupport.parkNanos(random.nextInt(200) * 1_000_000L);
        server.stopImmediately();
        over.set(true);
        producer.join();
        relay.close();
        connected.close();
        server.restart();
        publishedBefore = broker.count();

        Set<UUID> recovered = recovered(database);
        erased += acknowledged.stream().filter(id -> !recovered.contains(id)).count();
        assertThat(broker.kept())
            .extracting(OutboxRecord::id)
            .as("published, and still there after crash %s", crash)
            .allMatch(recovered::contains);
      }
      System.out.printf(
          Locale.ROOT,
          "%s crashes erased %s acknowledged commits; %s messages were published, no ghost%n",
          crashes,
          erased,
          publishedBefore);
      assertThat(erased).as("commits that a crash erased: else this shows nothing").isPositive();
      database.close();
    }
  }

  /** One message after the other, none of which waits for the disk, until the server is gone. */
  private static void produce(OutboxDatabase database, Set<UUID> acknowledged, AtomicBoolean over) {
    try (Connection connection = database.begin();
        Statement statement = connection.createStatement()) {
      statement.execute("set synchronous_commit = off");
      connection.commit();
      while (!over.get()) {
        UUID id = database.insert(connection, 0, "k");
        statement.execute("insert into committed values ('%s')".formatted(id));
        connection.commit();
        acknowledged.add(id);
      }
    } catch (SQLException e) {
      over.set(true); // the crash
    }
  }

  private static Set<UUID> recovered(OutboxDatabase database) throws SQLException {
    Set<UUID> ids = new HashSet<>();
    try (Connection connection = database.database().dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select id from committed")) {
      while (rows.next()) {
        ids.add(rows.getObject(1, UUID.class));
      }
    }
    return ids;
  }

  @Test
  void aWindowWaitsForTheDiskWhereACommitThatItShowsHasNotReachedIt() throws Exception {
    try (TestPostgres server = quietDisk();
        OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 100_000, 4)) {
      LaneLog log = database.log(Duration.ofSeconds(60));
      LaneState lane = claimedAndUsed(0, log, database);
      long committed;
      try (Connection connection = database.begin();
          Statement statement = connection.createStatement()) {
        statement.execute("set local synchronous_commit = off");
        database.insert(connection, 0, "k");
        connection.commit();
        committed = database.number(LOG_END);
        assertThat(database.number(ON_DISK)).as("or this shows nothing").isLessThan(committed);
      }

      LaneLog.Opened opened = log.openIfAny(lane, 10, Long.MAX_VALUE).orElseThrow();

      assertThat(opened.page().rows()).hasSize(1);
      assertThat(database.number(ON_DISK)).isGreaterThanOrEqualTo(committed);
    }
  }

  @Test
  void aWindowDoesNotWaitForTheDiskWhereEverythingThatItShowsIsThere() throws Exception {
    try (TestPostgres server = quietDisk();
        OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 100_000, 4)) {
      LaneLog log = database.log(Duration.ofSeconds(60));
      LaneState lane = claimedAndUsed(0, log, database);
      database.commitOne(0, "k");

      LaneLog.Opened opened = log.openIfAny(lane, 10, Long.MAX_VALUE).orElseThrow();

      assertThat(opened.page().rows()).hasSize(1);
      assertThat(database.number(ON_DISK)).isLessThan(database.number(LOG_END));
    }
  }

  @Test
  void windowsThatAreOpenedTogetherWaitForTheDiskOnlyForWhatTheyShow() throws Exception {
    try (TestPostgres server = quietDisk();
        OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 100_000, 4)) {
      LaneLog log = database.log(Duration.ofSeconds(60));
      LaneState one = claimedAndUsed(0, log, database);
      LaneState two = claimedAndUsed(1, log, database);
      two = settledTogether(log, two, database);
      one = settledTogether(log, one, database);
      database.commitOne(0, "k");
      database.commitOne(1, "k");

      var opened = log.openAny(List.of(one, two), 1_000, 10, Long.MAX_VALUE).windows();

      assertThat(opened).hasSize(2);
      assertThat(database.number(ON_DISK)).isLessThan(database.number(LOG_END));

      one = log.settle(Objects.requireNonNull(opened.get(0)).state()).orElseThrow();
      two = log.settle(Objects.requireNonNull(opened.get(1)).state()).orElseThrow();
      long committed;
      try (Connection connection = database.begin();
          Statement statement = connection.createStatement()) {
        statement.execute("set local synchronous_commit = off");
        database.insert(connection, 1, "k");
        connection.commit();
        committed = database.number(LOG_END);
        assertThat(database.number(ON_DISK)).as("or this shows nothing").isLessThan(committed);
      }

      assertThat(log.openAny(List.of(one, two), 1_000, 10, Long.MAX_VALUE).windows())
          .containsOnlyKeys(1);
      assertThat(database.number(ON_DISK)).isGreaterThanOrEqualTo(committed);
    }
  }

  private static LaneState settledTogether(LaneLog log, LaneState lane, OutboxDatabase database)
      throws SQLException {
    database.commitOne(lane.lane(), "k");
    var opened = log.openAny(List.of(lane), 1_000, 10, Long.MAX_VALUE).windows();
    return log.settle(Objects.requireNonNull(opened.get(lane.lane())).state()).orElseThrow();
  }

  @Test
  void aWindowThatACrashErasedIsOpenedAgainAndItsFormerOwnerWritesNothing() throws Exception {
    try (TestPostgres server = quietDisk()) {
      OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 100_000, 4);
      LaneLog log = database.log(Duration.ofSeconds(60));
      LaneState lane = claimedAndUsed(0, log, database);
      UUID message = database.commitOne(0, "k");
      LaneState erased = log.openIfAny(lane, 10, Long.MAX_VALUE).orElseThrow().state();

      server.stopImmediately();
      server.restart();
      database.close();

      OutboxDatabase recovered = database.reconnected();
      LaneLog after = recovered.log(Duration.ofSeconds(60));
      assertThat(after.read(0)).as("the window is gone, or this shows nothing").contains(lane);
      assertThat(after.settle(erased)).isEmpty();
      assertThat(after.progress(erased, 1, List.of())).isEmpty();
      LaneState claimed = after.claim(lane, "relay").orElseThrow();
      assertThat(after.openIfAny(claimed, 10, Long.MAX_VALUE).orElseThrow().page().rows())
          .extracting(row -> row.record().id())
          .containsExactly(message);
      assertThat(after.settle(erased)).isEmpty();
      recovered.close();
    }
  }

  /** After a window or two, so that pages which are read for the first time write no more hints. */
  private static LaneState claimedAndUsed(int number, LaneLog log, OutboxDatabase database)
      throws SQLException {
    LaneState lane = log.claim(log.read(number).orElseThrow(), "relay").orElseThrow();
    for (int window = 0; window < 3; window++) {
      database.commitOne(number, "k");
      LaneState open = log.openIfAny(lane, 10, Long.MAX_VALUE).orElseThrow().state();
      lane = log.settle(open).orElseThrow();
    }
    return lane;
  }

  /** Nothing is written to the log, nor the log to disk, unless somebody commits. */
  private static TestPostgres quietDisk() {
    return TestPostgres.builder()
        .setting("wal_writer_delay", "10000ms")
        .setting("autovacuum", "off")
        .start();
  }

  @Test
  void neitherAClaimNorAWindowCountsWhoseCommitIsNotOnTheStandby() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (TestPostgres server = TestPostgres.start()) {
      OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 100_000, 4);
      LaneLog log = database.log(Duration.ofSeconds(60));
      LaneState lane = log.claim(log.read(0).orElseThrow(), "relay").orElseThrow();
      LaneState free = log.read(1).orElseThrow();
      LaneState used = claimedAndUsed(2, log, database);
      database.commitOne(0, "k");
      database.commitOne(2, "k");
      LaneState third = log.claim(log.read(3).orElseThrow(), "relay").orElseThrow();
      database.commitOne(3, "k");
      database.execute("alter system set synchronous_standby_names = 'nobody'");
      database.execute("select pg_reload_conf()");
      await()
          .until(
              () ->
                  database.number(
                          "select count(*) from pg_settings where name ="
                              + " 'synchronous_standby_names' and setting = 'nobody'")
                      == 1);
      CompletableFuture<LaneLog.Opened> turning =
          async(threads, () -> log.openIfAny(used, 10, Long.MAX_VALUE).orElseThrow());
      String waiting =
          "from pg_stat_activity where datname = current_database() and wait_event = 'SyncRep'";
      await().until(() -> database.number("select count(*) " + waiting) == 1);
      CompletableFuture<LaneState> opening = async(threads, () -> log.open(lane).orElseThrow());
      CompletableFuture<LaneState> claiming =
          async(threads, () -> log.claim(free, "relay").orElseThrow());
      await().until(() -> database.number("select count(*) " + waiting) == 3);
      CompletableFuture<LaneLog.Openings> together =
          async(threads, () -> log.openAny(List.of(third), 1_000, 10, Long.MAX_VALUE));
      await().until(() -> database.number("select count(*) " + waiting) == 4);

      database.execute("select pg_cancel_backend(pid) " + waiting);

      assertThatThrownBy(opening::join).hasMessageContaining("standby");
      assertThatThrownBy(claiming::join).hasMessageContaining("standby");
      assertThatThrownBy(turning::join).hasMessageContaining("standby");
      assertThatThrownBy(together::join).hasMessageContaining("standby");
      database.close();
    } finally {
      threads.shutdownNow();
    }
  }

  private interface Work<T> {
    T run() throws SQLException;
  }

  private static <T> CompletableFuture<T> async(ExecutorService threads, Work<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return work.run();
          } catch (SQLException e) {
            throw new CompletionException(e);
          }
        },
        threads);
  }
}
