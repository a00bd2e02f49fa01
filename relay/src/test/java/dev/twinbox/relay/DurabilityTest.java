package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.publish.OutboxRecord;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
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
            .as("published, and still there after crash %d", crash)
            .allMatch(recovered::contains);
      }
      System.out.printf(
          "%d crashes erased %d acknowledged commits; %d messages were published, no ghost%n",
          crashes, erased, publishedBefore);
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
  void neitherAClaimNorAWindowCountsWhoseCommitIsNotOnTheStandby() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (TestPostgres server = TestPostgres.start()) {
      OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 100_000, 4);
      LaneLog log = database.log(Duration.ofSeconds(60));
      LaneState lane = log.claim(log.read(0).orElseThrow(), "relay").orElseThrow();
      LaneState free = log.read(1).orElseThrow();
      database.commitOne(0, "k");
      database.execute("alter system set synchronous_standby_names = 'nobody'");
      database.execute("select pg_reload_conf()");
      await()
          .until(
              () ->
                  database.number(
                          "select count(*) from pg_settings where name ="
                              + " 'synchronous_standby_names' and setting = 'nobody'")
                      == 1);
      CompletableFuture<LaneState> opening = async(threads, () -> log.open(lane).orElseThrow());
      CompletableFuture<LaneState> claiming =
          async(threads, () -> log.claim(free, "relay").orElseThrow());
      String waiting =
          "from pg_stat_activity where datname = current_database() and wait_event = 'SyncRep'";
      await().until(() -> database.number("select count(*) " + waiting) == 2);

      database.execute("select pg_cancel_backend(pid) " + waiting);

      assertThatThrownBy(opening::join).hasMessageContaining("standby");
      assertThatThrownBy(claiming::join).hasMessageContaining("standby");
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
