package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** What happens between the relay and its database when one of them, or what is between, fails. */
class FaultsTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final DrainSettings SETTINGS =
      DrainSettings.DEFAULTS
          .withLease(Duration.ofSeconds(2))
          .withRetry(RetryPolicy.DEFAULTS.withPauses(Duration.ofMillis(10), Duration.ofMillis(50)));

  private final MemoryBroker broker = new MemoryBroker();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
    broker.close();
  }

  @Test
  void whatADeadRelayHadOpenedAndNotPublishedIsPublishedByTheNext() throws Exception {
    OutboxDatabase database = shared();
    List<UUID> ids = commit(database, 10);
    LaneLog log = database.log(Duration.ofSeconds(1));
    LaneState claimed = log.claim(log.read(0).orElseThrow(), "dead").orElseThrow();
    assertThat(log.open(claimed)).isPresent();
    ids.addAll(commit(database, 10));

    start(database.dataSource());

    await().atMost(SOON).until(() -> broker.count() == 20);
    assertThat(ids()).containsExactlyElementsOf(ids);
  }

  @Test
  void clocksOfRelaysAnHourApartChangeNothingAndAreReported() throws Exception {
    OutboxDatabase database = shared();
    Relay ahead = start(database.dataSource(), offBy(Duration.ofHours(1)));
    Relay behind = start(database.dataSource(), offBy(Duration.ofHours(-1)));
    await()
        .atMost(SOON)
        .until(() -> ahead.heldLanes().size() == 2 && behind.heldLanes().size() == 2);
    List<UUID> ids = commit(database, 100);
    await().atMost(SOON).until(() -> broker.count() == 100);

    String clocks =
        "select count(*) from twinbox.outbox_relay where abs(clock_ahead_ms %s) < 60000";
    assertThat(database.number(clocks.formatted("- 3600000"))).isEqualTo(1);
    assertThat(database.number(clocks.formatted("+ 3600000"))).isEqualTo(1);
    ahead.close();
    await().atMost(SOON).until(() -> behind.heldLanes().size() == 4);
    ids.addAll(commit(database, 100));
    await().atMost(SOON).until(() -> broker.count() == 200);
    assertThat(ids()).containsExactlyElementsOf(ids);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "next_fire_time = next_fire_time + 3600000",
        "trigger_state = 'ERROR'",
      })
  void upkeepThatIsPlannedByAFastClockOrGivenUpByQuartzIsDoneNow(String broken) throws Exception {
    OutboxDatabase database = shared();
    start(database.dataSource());
    awaitUpkeep(database);
    String times =
        "select times_triggered from twinbox.qrtz_simple_triggers where trigger_name = 'UPKEEP'";
    changeUpkeepBetweenRuns(database, broken);
    long before = database.number(times);

    // Every relay stands in for it meanwhile, so only Quartz itself tells.
    await().atMost(SOON).until(() -> database.number(times) > before);
  }

  @Test
  void twoHoursOfMissedUpkeepAreCaughtUpWithoutAStorm() throws Exception {
    OutboxDatabase database = shared();
    start(database.dataSource());
    awaitUpkeep(database);
    String times =
        "select times_triggered from twinbox.qrtz_simple_triggers where trigger_name = 'UPKEEP'";
    changeUpkeepBetweenRuns(database, "next_fire_time = next_fire_time - 7200000");
    long before = database.number(times);

    // 360 runs were missed.
    await()
        .atMost(SOON)
        .until(
            () ->
                database.number(
                        "select count(*) from twinbox.qrtz_triggers where trigger_name = 'UPKEEP'"
                            + " and next_fire_time > extract(epoch from clock_timestamp()) * 1000 -"
                            + " 22000")
                    == 1);
    await().atMost(SOON).until(() -> database.number(times) > before);
    assertThat(database.number(times)).isLessThan(before + 20);
  }

  @Test
  void aLivingNodeThatQuartzDeclaresDeadGoesOnAndNothingIsRepeated() throws Exception {
    OutboxDatabase database = shared();
    start(database.dataSource());
    start(database.dataSource());
    awaitUpkeep(database);
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.qrtz_scheduler_state") == 2);
    List<UUID> ids = commit(database, 50);

    await()
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(5))
        .until(
            () -> {
              database.execute(
                  "update twinbox.qrtz_scheduler_state set last_checkin_time = 1 where"
                      + " instance_name = (select min(instance_name) from"
                      + " twinbox.qrtz_scheduler_state)");
              return database.number("select count(*) from twinbox.qrtz_scheduler_state") == 1;
            });
    ids.addAll(commit(database, 50));
    database.execute(
        "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, key, type)"
            + " values (clock_timestamp(), gen_random_uuid(), 'kafka', 1, 'kafka:test', 'other',"
            + " 'test')");

    await().atMost(SOON).until(() -> broker.count() == 101);
    assertThat(ids()).containsExactlyElementsOf(ids);
  }

  @Test
  void aRestartOfPostgresIsSurvivedAndCostsNoAttempt() throws Exception {
    TestPostgres server = TestPostgres.start();
    open.add(server);
    OutboxDatabase database = on(server);
    Relay relay = start(database.dataSource());
    List<UUID> ids = commit(database, 50);
    await().atMost(SOON).until(() -> broker.count() == 50);
    broker.silent(true);
    ids.addAll(commit(database, 50));
    await().atMost(SOON).until(() -> openWindows(database) == 1);

    server.stop();
    await().atMost(SOON).until(() -> relay.heldLanes().isEmpty());
    broker.silent(false);
    server.restart();

    await().atMost(SOON).until(() -> distinct().size() == 100);
    assertThat(distinct()).containsExactlyElementsOf(ids);
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
  }

  @Test
  void aPoolWithoutConnectionsIsWaitedForAndRelayingGoesOnByItself() throws Exception {
    OutboxDatabase database = shared();
    HikariDataSource pool = database.pool(6);
    open.add(pool);
    Relay relay = start(pool);
    await().atMost(SOON).until(() -> relay.heldLanes().size() == 4);
    List<Connection> taken = new ArrayList<>();
    while (taken.size() < 6) {
      taken.add(pool.getConnection());
    }
    List<UUID> ids = commit(database, 20);
    await().atMost(SOON).until(() -> relay.heldLanes().isEmpty());
    assertThat(broker.count()).isZero();
    await().atMost(SOON).until(() -> !relay.health().up());
    assertThat(relay.health().problems()).anyMatch(said -> said.contains("database"));

    for (Connection connection : taken) {
      connection.close();
    }

    await().atMost(SOON).until(() -> broker.count() == 20);
    await().atMost(SOON).until(() -> relay.health().up());
    assertThat(ids()).containsExactlyElementsOf(ids);
  }

  @Test
  void aServerThatTakesNoMoreConnectionsIsWaitedFor() throws Exception {
    OutboxDatabase database = shared();
    String role = "relay_" + database.database().name();
    database.execute("create role " + role + " login");
    dev.twinbox.migrations.Migrations.defaults().grantRelay(database.dataSource(), role);
    Relay relay = start(database.database().dataSource(role));
    await().atMost(SOON).until(() -> relay.heldLanes().size() == 4);
    database.execute("alter role " + role + " connection limit 0");
    await().atMost(SOON).until(() -> relay.heldLanes().isEmpty());
    List<UUID> ids = commit(database, 20);

    database.execute("alter role " + role + " connection limit -1");

    await().atMost(SOON).until(() -> broker.count() == 20);
    assertThat(ids()).containsExactlyElementsOf(ids);
  }

  /**
   * The error is the one that PostgreSQL raises when it cannot extend a file, at the statements
   * that write lanes; a file system that is really full needs rights that a build does not have.
   */
  @Test
  void aFullDiskIsWaitedForAndCostsNoAttempt() throws Exception {
    OutboxDatabase database = shared();
    Relay relay = start(database.dataSource());
    await().atMost(SOON).until(() -> relay.heldLanes().size() == 4);
    database.execute(
        "create function twinbox.disk_full() returns trigger language plpgsql as $$ begin raise"
            + " exception 'could not extend file: No space left on device' using errcode ="
            + " 'disk_full'; end $$; create trigger disk_full before insert on"
            + " twinbox.outbox_lane_log for each row execute function twinbox.disk_full()");
    List<UUID> ids = commit(database, 20);
    await().atMost(SOON).until(() -> relay.heldLanes().isEmpty());
    assertThat(broker.count()).isZero();

    database.execute("drop trigger disk_full on twinbox.outbox_lane_log");

    await().atMost(SOON).until(() -> broker.count() == 20);
    assertThat(ids()).containsExactlyElementsOf(ids);
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
  }

  @Test
  void aFrozenPostgresIsNoticedAndNoTwoOwnersWriteAfterwards() throws Exception {
    TestPostgres server = TestPostgres.start();
    open.add(server);
    OutboxDatabase database = on(server);
    Relay first = start(database.dataSource());
    Relay second = start(database.dataSource());
    await()
        .atMost(SOON)
        .until(() -> first.heldLanes().size() == 2 && second.heldLanes().size() == 2);
    List<UUID> ids = commit(database, 100);
    await().atMost(SOON).until(() -> broker.count() == 100);

    server.pause();
    await().atMost(SOON).until(() -> first.heldLanes().isEmpty() && second.heldLanes().isEmpty());
    server.resume();

    ids.addAll(commit(database, 100));
    await().atMost(SOON).until(() -> broker.count() == 200);
    assertThat(ids()).containsExactlyElementsOf(ids);
    assertThat(twoOwners(database)).isZero();
  }

  /** Slower than the time after which what was read is read again. */
  @Test
  void aDatabaseThatAnswersAfterSecondsSlowsTheRelayDownAndDoesNotStopIt() throws Exception {
    OutboxDatabase database = shared();
    FaultProxy proxy = FaultProxy.to("127.0.0.1", database.database().port());
    open.add(proxy);
    PGSimpleDataSource proxied = new PGSimpleDataSource();
    proxied.setURL(database.database().jdbcUrl(proxy.port()));
    proxied.setUser(database.database().user());
    HikariConfig pooled = new HikariConfig();
    pooled.setDataSource(proxied);
    HikariDataSource pool = new HikariDataSource(pooled);
    open.add(pool);
    Relay relay =
        Relay.builder()
            .dataSource(pool)
            .broker(broker.borrowed())
            .lease(Duration.ofSeconds(30))
            .build()
            .start();
    open.add(relay);
    await().atMost(SOON).until(() -> relay.heldLanes().size() == 4);
    List<UUID> ids = commit(database, 5);
    await().atMost(SOON).until(() -> broker.count() == 5);

    proxy.delay(Duration.ofMillis(700));
    ids.addAll(commit(database, 5));

    await().atMost(Duration.ofMinutes(2)).until(() -> broker.count() == 10);
    assertThat(ids()).containsExactlyElementsOf(ids);
    proxy.delay(Duration.ZERO);
  }

  @Test
  void aRelayBehindAHalfOpenConnectionLosesItsLanesAndWritesNothingMore() throws Exception {
    OutboxDatabase database = shared();
    FaultProxy proxy = FaultProxy.to("127.0.0.1", database.database().port());
    open.add(proxy);
    PGSimpleDataSource proxied = new PGSimpleDataSource();
    proxied.setURL(database.database().jdbcUrl(proxy.port()));
    proxied.setUser(database.database().user());
    proxied.setConnectTimeout(2);
    proxied.setSocketTimeout(2);
    Relay cut = start(proxied);
    await().atMost(SOON).until(() -> cut.heldLanes().size() == 4);
    Relay other = start(database.dataSource());
    await().atMost(SOON).until(() -> cut.heldLanes().size() == 2 && other.heldLanes().size() == 2);

    proxy.dropResponses();
    List<UUID> ids = commit(database, 100);
    await().atMost(SOON).until(() -> other.heldLanes().size() == 4 && cut.heldLanes().isEmpty());
    await().atMost(SOON).until(() -> distinct().size() == 100);
    proxy.restore();
    ids.addAll(commit(database, 100));

    await().atMost(SOON).until(() -> distinct().size() == 200);
    assertThat(distinct()).containsExactlyElementsOf(ids);
    assertThat(twoOwners(database)).isZero();
  }

  private OutboxDatabase shared() {
    return on(TestPostgres.shared());
  }

  private OutboxDatabase on(TestPostgres server) {
    TestDatabase created = server.createDatabase();
    OutboxDatabase database = new OutboxDatabase(created, 100_000, 4);
    open.add(database);
    return database;
  }

  private Relay start(DataSource dataSource) {
    return start(dataSource, InstantSource.system());
  }

  private Relay start(DataSource dataSource, InstantSource clock) {
    Relay relay =
        Relay.builder()
            .dataSource(dataSource)
            .broker(broker.borrowed())
            .settings(SETTINGS)
            .clock(clock)
            .build()
            .start();
    open.add(relay);
    return relay;
  }

  private static InstantSource offBy(Duration difference) {
    return () -> Instant.now().plus(difference);
  }

  private static List<UUID> commit(OutboxDatabase database, int messages) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < messages; i++) {
      ids.add(database.commitOne(0, "k"));
    }
    return ids;
  }

  private static void awaitUpkeep(OutboxDatabase database) {
    await()
        .atMost(SOON)
        .until(
            () ->
                database.number(
                        "select count(*) from twinbox.qrtz_simple_triggers where times_triggered >"
                            + " 0")
                    > 0);
  }

  /**
   * Quartz leaves the trigger alone for moments only. Each look is a transaction of its own: an
   * update that comes too late keeps the row locked all the same, and so Quartz from going on.
   */
  private static void changeUpkeepBetweenRuns(OutboxDatabase database, String change)
      throws SQLException {
    String sql =
        "update twinbox.qrtz_triggers set %s where trigger_name = 'UPKEEP' and trigger_state = 'WAITING'"
            .formatted(change);
    try (Connection connection = database.database().dataSource().getConnection();
        PreparedStatement update = connection.prepareStatement(sql)) {
      await()
          .atMost(SOON)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(1))
          .until(() -> update.executeUpdate() == 1);
    }
  }

  private static long openWindows(OutboxDatabase database) throws SQLException {
    return database.number(
        "select count(*) from twinbox.outbox_lane_state where target is not null");
  }

  /** Epochs of a lane in which more than one relay wrote. */
  private static long twoOwners(OutboxDatabase database) throws SQLException {
    return database.number(
        "select count(*) from (select lane, epoch from twinbox.outbox_lane_log where owner is not"
            + " null group by lane, epoch having count(distinct owner) > 1) doubled");
  }

  /** Of the key that these tests write to. */
  private List<UUID> ids() {
    return broker.kept().stream()
        .filter(record -> "k".equals(record.key()))
        .map(OutboxRecord::id)
        .toList();
  }

  private List<UUID> distinct() {
    return ids().stream().distinct().toList();
  }
}
