package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.relay.drain.Counters;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.IdlePoll;
import dev.twinbox.relay.drain.LaneDrain;
import dev.twinbox.relay.drain.LaneStore;
import dev.twinbox.relay.drain.RateLimiter;
import dev.twinbox.relay.drain.RateLimits;
import dev.twinbox.testkit.Tally;
import dev.twinbox.testkit.TallyReport;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * Everything at once that makes reading an outbox hard: writers with early xids, savepoints,
 * rollbacks and open transactions; small pages; leaves truncated all the while; a relay that dies.
 */
class OrderStressTest {
  private static final int ROWS = 40_000;
  private static final int WRITERS = 14;
  private static final int KEYS = 16;
  private static final int LANES = 2;
  private static final long SEED = 20_26;

  private final Tally tally = new Tally();
  private final AtomicInteger committed = new AtomicInteger();
  private final AtomicInteger truncated = new AtomicInteger();
  private final AtomicInteger deaths = new AtomicInteger();
  private final Set<UUID> mayRepeat = ConcurrentHashMap.newKeySet();

  @Test
  void nothingIsLostRepeatedOrTurnedRoundUnderWritersThatDoEverythingAtOnce() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    AtomicBoolean over = new AtomicBoolean();
    try (OutboxDatabase database = new OutboxDatabase(2_000, 4);
        MemoryBroker broker = new MemoryBroker()) {
      database.execute(
          "create table counter (key int primary key, n bigint not null);"
              + " insert into counter select k, 0 from generate_series(0, %s) k"
                  .formatted(KEYS - 1));
      broker.troubledBy(this::sometimesUnknown);
      List<CompletableFuture<?>> writers = new ArrayList<>();
      for (int writer = 0; writer < WRITERS; writer++) {
        int number = writer;
        writers.add(run(threads, () -> write(database, number)));
      }
      List<CompletableFuture<?>> others = new ArrayList<>();
      for (int lane = 0; lane < LANES; lane++) {
        int number = lane;
        others.add(run(threads, () -> relay(database, broker, number, over)));
      }
      others.add(run(threads, () -> truncate(database, over)));
      others.add(run(threads, () -> terminateNowAndThen(database, over)));
      CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new)).get(6, TimeUnit.MINUTES);
      await()
          .atMost(Duration.ofMinutes(2))
          .pollInterval(Duration.ofMillis(200))
          .until(() -> distinct(broker) >= committed.get());
      over.set(true);
      CompletableFuture.allOf(others.toArray(CompletableFuture[]::new)).get(1, TimeUnit.MINUTES);

      broker.kept().forEach(message -> tally.published(message.id()));
      TallyReport report = tally.check();
      System.out.println(
          "%s%ntruncated %s leaves, the relay died %s times"
              .formatted(report, truncated.get(), deaths.get()));
      assertThat(report.balanced()).as("%s", report).isTrue();
      assertThat(report.committed()).isGreaterThanOrEqualTo(ROWS);
      assertThat(repeatsBeyondUnknown(broker)).isEmpty();
      assertThat(truncated.get()).as("leaves truncated").isGreaterThan(4);
      assertThat(deaths.get()).as("deaths").isGreaterThan(2);
    } finally {
      threads.shutdownNow();
    }
  }

  private static long distinct(MemoryBroker broker) {
    return broker.kept().stream().map(OutboxRecord::id).distinct().count();
  }

  private Set<UUID> repeatsBeyondUnknown(MemoryBroker broker) {
    Set<UUID> seen = new HashSet<>();
    Set<UUID> repeated = new HashSet<>();
    for (OutboxRecord message : broker.kept()) {
      if (!seen.add(message.id()) && !mayRepeat.contains(message.id())) {
        repeated.add(message.id());
      }
    }
    return repeated;
  }

  /** One message in some thousand is taken, and nobody hears of it. */
  private Optional<Outcome> sometimesUnknown(OutboxRecord message) {
    return ThreadLocalRandom.current().nextInt(3_000) == 0
        ? Optional.of(new Outcome.Unknown("nobody knows"))
        : Optional.empty();
  }

  private void write(OutboxDatabase database, int writer) throws SQLException {
    Random random = new Random(SEED + writer);
    try (Connection connection = database.begin()) {
      while (committed.get() < ROWS) {
        transaction(database, connection, random, random.nextInt(KEYS), writer == 0);
      }
    }
  }

  private record Written(UUID id, int key, long order) {}

  private void transaction(
      OutboxDatabase database, Connection connection, Random random, int key, boolean slow)
      throws SQLException {
    List<Written> written = new ArrayList<>();
    List<Written> undone = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      if (random.nextInt(3) == 0) {
        statement.execute("select pg_current_xact_id()");
        pause(random, 3);
      }
      insert(database, connection, random, key, written);
      if (random.nextInt(4) == 0) {
        Savepoint savepoint = connection.setSavepoint();
        List<Written> nested = new ArrayList<>();
        insert(database, connection, random, key, nested);
        if (random.nextBoolean()) {
          connection.rollback(savepoint);
          undone.addAll(nested);
        } else {
          written.addAll(nested);
        }
      }
      pause(random, 4);
      if (slow) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1_500));
      }
      if (random.nextInt(10) == 0) {
        connection.rollback();
        undone.addAll(written);
        written.clear();
      } else {
        connection.commit();
      }
    }
    written.forEach(each -> tally.committed(each.id(), "key " + each.key(), each.order()));
    undone.forEach(each -> tally.rolledBack(each.id()));
    committed.addAndGet(written.size());
  }

  /** The key's counter row is its lock, and says the order. */
  private static void insert(
      OutboxDatabase database, Connection connection, Random random, int key, List<Written> written)
      throws SQLException {
    int rows = 1 + random.nextInt(12);
    for (int row = 0; row < rows; row++) {
      try (Statement statement = connection.createStatement();
          ResultSet order =
              statement.executeQuery(
                  "update counter set n = n + 1 where key = %s returning n".formatted(key))) {
        order.next();
        UUID id = database.insert(connection, key % LANES, "key " + key);
        written.add(new Written(id, key, order.getLong(1)));
      }
    }
  }

  private static void pause(Random random, int millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(millis)));
  }

  /** Drains one lane, and now and then dies with everything that it had in flight. */
  private void relay(OutboxDatabase database, MemoryBroker broker, int lane, AtomicBoolean over)
      throws SQLException {
    Random random = new Random(SEED - lane);
    DrainSettings settings =
        DrainSettings.DEFAULTS.withLease(Duration.ofSeconds(1)).withPages(50, 1 << 20);
    LaneStore store = LaneStore.of(database.pipeline(), OutboxDatabase.TABLES, settings.lease());
    IdlePoll idlePoll = new IdlePoll(store.reader(), store.log(), settings);
    Thread polling = new Thread(() -> idlePoll.session(Duration.ofDays(1)));
    polling.start();
    while (!over.get()) {
      int before = broker.count();
      LaneDrain drain =
          new LaneDrain(
              lane,
              "relay-" + random.nextInt(1_000_000),
              broker,
              store,
              settings,
              idlePoll,
              new RateLimiter(RateLimits.NONE, any -> 1, System::nanoTime),
              new Counters(),
              any -> true,
              InstantSource.system());
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1_500 + random.nextInt(3_000));
      while (!over.get() && System.nanoTime() - end < 0) {
        drain.session(Duration.ofMillis(20 + random.nextInt(60)));
        if (!drain.isHeld()) {
          noteUnknown(broker, store, lane, before);
        }
      }
      if (over.get()) {
        drain.requestStop();
        drain.session(Duration.ZERO);
      } else {
        deaths.incrementAndGet();
        noteUnknown(broker, store, lane, before);
      }
    }
    idlePoll.requestStop();
  }

  /** Beyond the cursor of an open window, whoever comes next cannot know what was published. */
  private void noteUnknown(MemoryBroker broker, LaneStore store, int lane, int since)
      throws SQLException {
    long cursor = cursor(store, lane);
    List<OutboxRecord> kept = broker.kept();
    for (OutboxRecord message : kept.subList(Math.min(since, kept.size()), kept.size())) {
      if (message.lane() == lane && message.position() > cursor) {
        mayRepeat.add(message.id());
      }
    }
  }

  /** The pool may lend a connection whose session was ended just before. */
  private static long cursor(LaneStore store, int lane) throws SQLException {
    for (int attempt = 1; ; attempt++) {
      try {
        return store.log().read(lane).orElseThrow().cursor();
      } catch (SQLException e) {
        if (attempt == 10) {
          throw e;
        }
      }
    }
  }

  private void truncate(OutboxDatabase database, AtomicBoolean over) throws SQLException {
    while (!over.get()) {
      truncated.addAndGet(database.rotation().rotate().size());
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  /** Ends the relay's database sessions in the middle of what they do. */
  private void terminateNowAndThen(OutboxDatabase database, AtomicBoolean over)
      throws SQLException {
    while (!over.get()) {
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(3));
      database.execute(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname ="
              + " current_database() and pid <> pg_backend_pid() and query like"
              + " '%outbox_lane_log%' and state = 'active'");
    }
  }

  private interface Work {
    void run() throws Exception;
  }

  private static CompletableFuture<Void> run(ExecutorService threads, Work work) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    threads.execute(
        () -> {
          try {
            work.run();
            result.complete(null);
          } catch (Exception e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }
}
