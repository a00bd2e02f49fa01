package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What lies on disk, over laps of the ring, held horizons and days. */
class StorageTest {
  private static final Duration SOON = Duration.ofMinutes(2);
  private static final RetryPolicy RETRY =
      RetryPolicy.DEFAULTS
          .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
          .withParkAfter(Duration.ofMillis(100));
  private static final DrainSettings SETTINGS =
      DrainSettings.DEFAULTS.withLease(Duration.ofSeconds(5)).withRetry(RETRY);

  private final List<AutoCloseable> open = new ArrayList<>();
  private final MemoryBroker broker = new MemoryBroker();

  @AfterEach
  void close() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
    broker.close();
  }

  @Test
  void whileABrokerIsDownAnotherCarriesTenLapsOnBoundedDiskAndNothingIsLost() throws Exception {
    int lap = 2_000;
    OutboxDatabase database = on(TestPostgres.shared(), lap / 4, 4);
    List<UUID> stalled = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      stalled.add(database.commitOne(4, "rabbitmq:/q", "k"));
    }
    MemoryBroker down = new MemoryBroker("rabbitmq");
    down.troubledBy(
        message -> Optional.of(new Outcome.Unavailable(Outcome.Reason.UNREACHABLE, "down")));
    relay(database, down);
    for (int laps = 1; laps <= 10; laps++) {
      int published = lap * laps;
      commit(database, lap);
      stalled.add(database.commitOne(4, "rabbitmq:/q", "k"));
      await().atMost(SOON).until(() -> broker.count() == published);
      // The last leaf may be in use; the stalled lane's rows keep none.
      await().atMost(SOON).until(() -> leavesWithRowsAfterRotation(database) <= 2);
    }

    assertThat(database.number("select count(*) from twinbox.outbox_parked")).isEqualTo(30);
    assertThat(down.count()).isZero();

    down.troubledBy(message -> Optional.empty());
    await().atMost(SOON).until(() -> down.count() == stalled.size());
    assertThat(down.kept().stream().map(OutboxRecord::id)).containsExactlyElementsOf(stalled);
  }

  @Test
  void aHeldHorizonLeavesNoDeadRowsAmongMessagesAndDrainingGoesOn() throws Exception {
    Held held = holdHorizon(Duration.ofSeconds(4), 3_000);

    assertThat(held.after).isGreaterThan(0.3 * held.before);
  }

  /** Ten minutes of settles, as many as there can be. */
  @Test
  @Tag("long")
  void tenMinutesOfAHeldHorizonCostNoCapacity() throws Exception {
    Held held = holdHorizon(Duration.ofMinutes(10), 100_000);

    System.out.printf(
        Locale.ROOT,
        "held horizon: before %.0f/s, after %.0f/s, ratio %.3f; a write of the lane %.0f us before,"
            + " %.0f us after, ratio %.2f; %s windows%n",
        held.before,
        held.after,
        held.after / held.before,
        held.writeBefore,
        held.writeAfter,
        held.writeAfter / held.writeBefore,
        held.windows);
    assertThat(held.after).isGreaterThan(0.8 * held.before);
    assertThat(held.writeAfter).isLessThan(2 * held.writeBefore);
  }

  private record Held(
      double before, double after, double writeBefore, double writeAfter, long windows) {}

  private Held holdHorizon(Duration length, int burst) throws Exception {
    OutboxDatabase database = on(TestPostgres.shared(), 100_000, 8);
    relay(database);
    commit(database, burst);
    await().atMost(SOON).until(() -> broker.count() == burst);
    double before = capacity(database, burst);
    double writeBefore = laneWriteMicros(database);
    Relay relay = relays().get(0);
    long windows = relay.counters().windowCount();
    double after;
    double writeAfter;
    try (Connection holder = database.begin();
        Statement statement = holder.createStatement()) {
      holder.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute("select pg_current_xact_id()");
      long end = System.nanoTime() + length.toNanos();
      while (System.nanoTime() - end < 0) {
        int expected = broker.count() + 4;
        for (int lane = 0; lane < 4; lane++) {
          database.commitOne(lane, "kafka:test", null);
        }
        await()
            .pollDelay(Duration.ZERO)
            .pollInterval(Duration.ofMillis(1))
            .atMost(SOON)
            .until(() -> broker.count() >= expected);
      }
      windows = relay.counters().windowCount() - windows;
      after = capacity(database, burst);
      writeAfter = laneWriteMicros(database);
      database.execute("select pg_stat_force_next_flush()");
      // Never updated, never deleted: there is nothing that could die.
      assertThat(
              database.number(
                  "select coalesce(sum(n_tup_upd + n_tup_del + n_dead_tup), 0)::bigint from"
                      + " pg_stat_user_tables where relname ~ '^outbox_[0-9]+$'"))
          .isZero();
    }
    return new Held(before, after, writeBefore, writeAfter, windows);
  }

  /** Messages a second, from a backlog; the better one of three. */
  private double capacity(OutboxDatabase database, int burst) throws SQLException {
    double best = 0;
    for (int i = 0; i < 3; i++) {
      int all = broker.count() + burst;
      long from = System.nanoTime();
      commit(database, burst);
      await()
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(2))
          .atMost(SOON)
          .until(() -> broker.count() == all);
      best = Math.max(best, burst * 1e9 / (System.nanoTime() - from));
    }
    return best;
  }

  /** A step of a lane of another broker, which no relay works on; the median of many. */
  private static double laneWriteMicros(OutboxDatabase database) throws SQLException {
    var log = database.log(Duration.ofMinutes(5));
    var state = log.claim(log.read(4).orElseThrow(), "test").orElseThrow();
    List<Long> nanos = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      long from = System.nanoTime();
      state = log.renew(state).orElseThrow();
      nanos.add(System.nanoTime() - from);
    }
    nanos.sort(null);
    log.release(state, 0, List.of());
    return nanos.get(nanos.size() / 2) / 1e3;
  }

  @Test
  void hoursOfLoadOfEveryKindLeaveTheDiskAsItWas() throws Exception {
    aDay(6, 1, 300);
  }

  /** An hour is scaled down to 15 s; the first one begins when the logs have their length. */
  @Test
  @Tag("long")
  void aDayOfLoadOfEveryKindLeavesTheDiskAsItWas() throws Exception {
    aDay(24, 15, 3_000);
  }

  private void aDay(int hours, int seconds, int perSecond) throws Exception {
    TestPostgres server =
        TestPostgres.builder()
            .setting("autovacuum_naptime", "1s")
            .setting("autovacuum_vacuum_cost_delay", "0")
            .start();
    open.add(server);
    OutboxDatabase database = on(server, 1_000, 8);
    database.execute(
        "alter table twinbox.outbox_retention drop constraint outbox_retention_dedup_check;"
            + " update twinbox.outbox_retention set dedup = interval '%s seconds'"
                .formatted(seconds));
    broker.troubledBy(
        message ->
            message.type().equals("bad")
                ? Optional.of(new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "too large"))
                : Optional.empty());
    relay(database);
    Outbox outbox = Outbox.builder().source("/test").build();
    long warmUp = hours > 6 ? 120 : seconds;
    load(database, outbox, warmUp + seconds, perSecond);
    Map<String, Long> first = sizes(database);
    List<Long> totals = new ArrayList<>();
    List<Long> rings = new ArrayList<>();
    for (int hour = 1; hour < hours; hour++) {
      load(database, outbox, seconds, perSecond);
      Map<String, Long> now = sizes(database);
      totals.add(now.values().stream().mapToLong(Long::longValue).sum());
      rings.add(now.getOrDefault("outbox", 0L));
    }

    Map<String, Long> last = sizes(database);
    System.out.println(
        "a day: total by hour %s, ring by hour %s, first %s, last %s"
            .formatted(totals, rings, first, last));
    if (hours > 6) {
      // The ring's size is what came since its last rotation: hours are looked at at any moment.
      first.put("outbox", Collections.max(rings.subList(0, 6)));
      last.put("outbox", Collections.max(rings.subList(rings.size() - 6, rings.size())));
      last.forEach(
          (table, size) ->
              assertThat(size)
                  .as(table)
                  .isLessThanOrEqualTo(first.getOrDefault(table, 0L) * 5 / 4 + 256 * 1024));
    }
    long ring = Collections.max(rings);
    // Eight leaves of a thousand rows of less than 1 KiB, indexes included.
    assertThat(ring).isLessThan(8 * 1_000 * 1_024);
    assertThat(last.getOrDefault("outbox_scheduled", 0L)).isLessThan(4 << 20);
  }

  /** Every kind: keyed, delayed, expiring, deduplicated, and a few that are refused. */
  private void load(OutboxDatabase database, Outbox outbox, long seconds, int perSecond)
      throws SQLException, InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
    int n = broker.count();
    try (Connection producer = database.begin()) {
      while (System.nanoTime() - end < 0) {
        long from = System.nanoTime();
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < perSecond / 10; i++) {
          Message message =
              Message.to("kafka:test")
                  .key("k" + i % 50)
                  .type(i == 0 && n++ % 10 == 0 ? "bad" : "t")
                  .json("x".repeat(100));
          messages.add(
              switch (i % 10) {
                case 1 -> message.delay(Duration.ofMillis(700));
                case 2 -> message.ttl(Duration.ofMinutes(1));
                case 3 -> message.dedupKey(UUID.randomUUID().toString());
                default -> message;
              });
        }
        outbox.enqueueAll(producer, messages);
        producer.commit();
        long left = 100 - (System.nanoTime() - from) / 1_000_000;
        if (left > 0) {
          Thread.sleep(left);
        }
      }
    }
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_scheduled") == 0);
  }

  /** Bytes by table, the ring's leaves as one; dead letters, which may grow, left out. */
  private static Map<String, Long> sizes(OutboxDatabase database) throws SQLException {
    Map<String, Long> sizes = new TreeMap<>();
    try (Connection connection = database.database().dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select regexp_replace(relname, '^outbox_[0-9]+$', 'outbox'),"
                    + " sum(pg_total_relation_size(c.oid))::bigint from pg_class c where"
                    + " relnamespace = 'twinbox'::regnamespace and relkind = 'r' and relname <>"
                    + " 'outbox_dead_letter' group by 1")) {
      while (rows.next()) {
        sizes.put(rows.getString(1), rows.getLong(2));
      }
    }
    return sizes;
  }

  private static long leavesWithRowsAfterRotation(OutboxDatabase database) throws SQLException {
    database.rotation().rotate();
    return database.number(
        "select count(*) from pg_inherits where inhparent = 'twinbox.outbox'::regclass and"
            + " pg_relation_size(inhrelid) > 0");
  }

  private static void commit(OutboxDatabase database, int messages) throws SQLException {
    database.execute(
        "insert into twinbox.outbox (lane, id, destination, key, type, payload) select n % 4,"
            + " gen_random_uuid(), 'kafka:test', 'k' || n % 40, 'test', decode(repeat('ab', 100),"
            + " 'hex') from generate_series(1, "
            + messages
            + ") n");
  }

  private OutboxDatabase on(TestPostgres server, long chunk, int ring) {
    OutboxDatabase database = new OutboxDatabase(server.createDatabase(), chunk, ring);
    open.add(database);
    return database;
  }

  private List<Relay> relays() {
    return open.stream().filter(Relay.class::isInstance).map(Relay.class::cast).toList();
  }

  private void relay(OutboxDatabase database, MemoryBroker... more) {
    RelayBuilder builder =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .settings(SETTINGS);
    for (MemoryBroker each : more) {
      builder.broker(each);
    }
    open.add(builder.build().start());
  }
}
