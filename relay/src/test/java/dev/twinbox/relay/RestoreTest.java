package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.store.ClusterGuard;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.Restamp;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A dump, restored into a cluster whose transaction ids are lower than those in the dump; the same
 * cluster under another identifier; and an exchanged database.
 */
class RestoreTest {
  private static final DrainSettings SETTINGS =
      DrainSettings.DEFAULTS
          .withLease(Duration.ofSeconds(2))
          .withRetry(RetryPolicy.DEFAULTS.withPauses(Duration.ofMillis(10), Duration.ofMillis(50)));
  private static final Duration SOON = Duration.ofSeconds(30);

  private static final TestPostgres OLDER = TestPostgres.start();
  private static final TestPostgres YOUNGER = TestPostgres.start();

  private final OutboxDatabase origin = new OutboxDatabase(OLDER.createDatabase(), 100_000, 4);
  private final OutboxDatabase restored = new OutboxDatabase(YOUNGER.createDatabase(), 100_000, 4);
  private final MemoryBroker broker = new MemoryBroker();
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeAll
  static void burnTransactionIds() throws SQLException {
    try (Connection connection = OLDER.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("create temp table burnt (n int)");
      // Each handled block has a transaction id of its own.
      statement.execute(
          "do $$ begin for n in 1..200000 loop begin insert into burnt values (n); exception when"
              + " others then null; end; end loop; end $$");
    }
  }

  @AfterAll
  static void stopServers() {
    OLDER.close();
    YOUNGER.close();
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    broker.close();
    origin.close();
    restored.close();
  }

  @ParameterizedTest(name = "sequences restored: {0}")
  @ValueSource(booleans = {true, false})
  void aRestoredDumpIsPublishedFromWhereItStoodInTheOrderOfItsKeys(boolean sequences)
      throws Exception {
    Relay first = start(origin);
    List<UUID> published = commit(origin, 60);
    await().atMost(SOON).until(() -> broker.count() == 60);
    first.close();
    List<UUID> unpublished = commit(origin, 30);
    restore(sequences);

    // Producers are there before the relay is; some of them use savepoints.
    List<UUID> younger = new ArrayList<>(commit(restored, 20));
    try (Connection producer = restored.begin()) {
      restored.insert(producer, 3, "elsewhere");
      producer.setSavepoint();
      younger.add(restored.insert(producer, 0, "k0"));
      producer.commit();
    }
    String role = "relay_" + restored.database().name();
    restored.execute("create role " + role + " login");
    Migrations.defaults().grantRelay(restored.dataSource(), role);
    MemoryBroker after = new MemoryBroker();
    start(restored.database().dataSource(role), after);

    await().atMost(SOON).until(() -> after.count() == 52);
    assertThat(ids(after, "k0")).containsExactlyElementsOf(concat(unpublished, younger));
    assertThat(ids(broker, "k0")).containsExactlyElementsOf(published);
    assertThat(
            restored.number(
                "select affected from twinbox.outbox_audit where action = 'restamp' and done_by"
                    + " like 'relay %' and selection like '%60 published ones dropped%'"))
        .isEqualTo(52);
    UUID next = commit(restored, 1).get(0);
    await().atMost(SOON).until(() -> ids(after, "k0").contains(next));
    assertThat(after.count()).isEqualTo(53);
  }

  @ParameterizedTest(name = "sequences restored: {0}")
  @ValueSource(booleans = {true, false})
  void whatAnOpenWindowHadPublishedIsNotRepeatedAndNothingOfItIsSkipped(boolean sequences)
      throws Exception {
    List<UUID> ids = commit(origin, 8);
    LaneLog log = origin.log(Duration.ofSeconds(60));
    LaneState lane = log.claim(log.read(0).orElseThrow(), "relay").orElseThrow();
    List<UUID> later;
    lane = log.open(lane).orElseThrow();
    later = commit(origin, 2);
    lane = log.progress(lane, 2, List.of(5L)).orElseThrow();
    origin.execute(
        "insert into twinbox.outbox_dead_letter (lane, position, id, created_at, destination, type,"
            + " reason, attempts, first_failed_at) select lane, position, id, created_at,"
            + " destination, type, 'too-large', 1, now() from twinbox.outbox where position = 4");
    restore(sequences);
    List<UUID> younger = commit(restored, 6);

    start(restored);

    List<UUID> expected =
        concat(List.of(ids.get(2), ids.get(5), ids.get(6), ids.get(7)), concat(later, younger));
    await().atMost(SOON).until(() -> broker.count() >= expected.size());
    assertThat(ids(broker, "k0")).containsExactlyElementsOf(expected);
    assertThat(lane.isOpen()).isTrue();
  }

  @Test
  void scheduledParkedAndDeadMessagesStayAndNewDeadLettersFindTheirPlace() throws Exception {
    commit(origin, 4);
    origin.execute(
        "insert into twinbox.outbox_dead_letter (lane, position, id, created_at, destination, type,"
            + " reason, attempts, first_failed_at) select 0, n, gen_random_uuid(), now(),"
            + " 'kafka:test', 'test', 'too-large', 1, now() from generate_series(1, 50) n");
    origin.execute(
        "insert into twinbox.outbox_parked (lane, position, id, created_at, destination, key, type,"
            + " reason, attempts, not_before) select 0, 1000 + n, gen_random_uuid(), now(),"
            + " 'kafka:test', 'waiting', 'test', 'nacked', 1, now() + interval '1 hour' from"
            + " generate_series(1, 5) n");
    origin.execute(
        "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, key, type)"
            + " select now() + interval '1 hour', gen_random_uuid(), 'kafka', 0, 'kafka:test', 'k',"
            + " 'test' from generate_series(1, 3) n");
    restore(false);
    UUID culprit = restored.commitOne(0, "k0");
    UUID follower = restored.commitOne(0, "waiting");
    broker.troubledBy(
        message ->
            message.id().equals(culprit)
                ? Optional.of(new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "2 MiB"))
                : Optional.empty());

    start(restored);

    await().atMost(SOON).until(() -> restored.number(count("outbox_dead_letter")) == 51);
    await().atMost(SOON).until(() -> broker.count() == 4);
    await().atMost(SOON).until(() -> restored.number(count("outbox_parked")) == 6);
    assertThat(ids(broker, "waiting")).doesNotContain(follower);
    assertThat(restored.number(count("outbox_scheduled"))).isEqualTo(3);
    assertThat(restored.number("select min(position) from twinbox.outbox")).isGreaterThan(1005);
    restored.execute(
        "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, key, type)"
            + " values (now(), gen_random_uuid(), 'kafka', 0, 'kafka:test', 'k', 'test')");
    await().atMost(SOON).until(() -> broker.count() == 5);
  }

  @Test
  void ofTwoRelaysThatStartAtOnceOneStampsAnew() throws Exception {
    List<UUID> ids = commit(origin, 200);
    restore(false);
    List<UUID> younger = commit(restored, 50);

    List<CompletableFuture<Relay>> starting = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      starting.add(CompletableFuture.supplyAsync(() -> start(restored)));
    }
    starting.forEach(CompletableFuture::join);

    await().atMost(SOON).until(() -> broker.count() == 250);
    assertThat(ids(broker, "k0")).containsExactlyElementsOf(concat(ids, younger));
    assertThat(restored.number(count("outbox_audit"))).isEqualTo(1);
  }

  @Test
  void aRunningRelayNoticesThatItsDatabaseWasExchanged() throws Exception {
    List<UUID> published = commit(origin, 20);
    ExchangedDataSource address = new ExchangedDataSource(origin.database().dataSource());
    // A lease so long that nothing is written to an idle lane.
    Relay relay = start(address, broker, SETTINGS.withLease(Duration.ofMinutes(30)));
    await().atMost(SOON).until(() -> broker.count() == 20);
    await().atMost(SOON).until(() -> relay.heldLanes().size() == 4);
    await().atMost(SOON).until(() -> openWindows(origin) == 0);
    restore(false);

    address.is(restored.database().dataSource());
    List<UUID> younger = commit(restored, 30);

    await().atMost(SOON).until(() -> broker.count() == 50);
    assertThat(ids(broker, "k0")).containsExactlyElementsOf(concat(published, younger));
    assertThat(restored.number(count("outbox_audit"))).isEqualTo(1);
  }

  @Test
  void anOwnerOfTheOtherClusterWritesNothingAndNothingIsRotated() throws Exception {
    commit(origin, 3);
    LaneLog log = origin.log(Duration.ofSeconds(60));
    LaneState idle = log.claim(log.read(0).orElseThrow(), "relay").orElseThrow();
    LaneState working = log.claim(log.read(1).orElseThrow(), "relay").orElseThrow();
    working = log.open(working).orElseThrow();
    restore(true);
    restored.execute("select setval('twinbox.outbox_position', 250000)");
    LaneLog here = restored.log(Duration.ofSeconds(60));
    assertThat(here.read(0)).contains(idle);

    assertThat(here.renew(idle)).isEmpty();
    assertThat(here.open(idle)).isEmpty();
    assertThat(here.refresh(idle)).isEmpty();
    assertThat(here.claim(idle, "relay")).isEmpty();
    assertThat(here.progress(working, 1, List.of())).isEmpty();
    assertThat(here.settle(working)).isEmpty();
    assertThat(here.release(working, 1, List.of())).isEmpty();
    // Seen from the younger cluster, all of it looks relayed.
    restored.execute(
        "insert into twinbox.outbox_lane_log select lane, seq + 1, 'test', null, null, epoch, null,"
            + " window_number, '900000:900000:', null, floor, next_floor, 0, 0, '{}' from"
            + " twinbox.outbox_lane_state");
    assertThat(restored.rotation().rotate()).isEmpty();
    assertThat(restored.number(count("outbox"))).isEqualTo(3);
  }

  @Tag("essential")
  @Test
  void aSequenceThatWentBackKeepsLanesFromBeingClaimedUntilMessagesAreStampedAnew()
      throws Exception {
    Relay first = start(origin);
    commit(origin, 20);
    await().atMost(SOON).until(() -> broker.count() == 20);
    first.close();
    origin.execute("select setval('twinbox.outbox_position', 1, false)");
    List<UUID> hidden = commit(origin, 5);
    LaneLog log = origin.log(Duration.ofSeconds(60));
    assertThat(log.claim(log.read(0).orElseThrow(), "relay")).isEmpty();

    start(origin);

    await().atMost(SOON).until(() -> broker.count() == 25);
    assertThat(ids(broker, "k0")).endsWith(hidden.toArray(UUID[]::new));
  }

  @Test
  void anAttemptThatFailedAfterItRaisedTheSequenceIsNotTakenForASuccess() throws Exception {
    commit(origin, 20);
    LaneLog log = origin.log(Duration.ofSeconds(60));
    LaneState lane = log.claim(log.read(0).orElseThrow(), "relay").orElseThrow();
    origin.execute("select setval('twinbox.outbox_position', 1, false)");
    Restamp restamp = new Restamp(origin.pipeline(), OutboxDatabase.TABLES);
    try (Connection holder = origin.begin();
        Statement statement = holder.createStatement()) {
      statement.execute("lock table twinbox.qrtz_triggers");
      assertThat(restamp.run("test", "test")).isEmpty();
    }
    // Nothing undoes that.
    assertThat(origin.number("select last_value from twinbox.outbox_position")).isEqualTo(40);

    assertThat(new ClusterGuard(origin.pipeline(), OutboxDatabase.TABLES).doubts()).isPresent();
    assertThat(log.renew(lane)).isEmpty();
    assertThat(restamp.run("test", "test")).isPresent();
    assertThat(new ClusterGuard(origin.pipeline(), OutboxDatabase.TABLES).doubts()).isEmpty();
  }

  @Tag("essential")
  @Test
  void aSequenceBehindABacklogThatNoRelayHasSeenIsNoticedAtTheStart() throws Exception {
    List<UUID> backlog = commit(origin, 30);
    origin.execute("select setval('twinbox.outbox_position', 1, false)");

    start(origin);

    await().atMost(SOON).until(() -> broker.count() == 30);
    List<UUID> next = commit(origin, 10);
    await().atMost(SOON).until(() -> broker.count() == 40);
    assertThat(ids(broker, "k0")).containsExactlyElementsOf(concat(backlog, next));
  }

  @Test
  void anotherIdentifierOfTheSameClusterRepeatsNothing() throws Exception {
    Relay first = start(origin);
    List<UUID> ids = new ArrayList<>(commit(origin, 40));
    await().atMost(SOON).until(() -> broker.count() == 40);
    first.close();
    ids.addAll(commit(origin, 10));
    // As pg_upgrade leaves it.
    origin.execute("update twinbox.outbox_cluster set system_identifier = 1");
    ids.addAll(commit(origin, 10));

    start(origin);

    await().atMost(SOON).until(() -> broker.count() == 60);
    assertThat(ids(broker, "k0")).containsExactlyElementsOf(ids);
  }

  @Test
  void anOpenTransactionDelaysTheStampingAndItsMessagesComeInTheirOrder() throws Exception {
    List<UUID> ids = new ArrayList<>(commit(origin, 10));
    restore(false);
    Relay relay;
    try (Connection producer = restored.begin()) {
      ids.add(restored.insert(producer, 0, "k0"));
      relay = start(restored);
      assertThat(relay.heldLanes()).isEmpty();
      assertThat(restored.number(count("outbox_audit"))).isZero();
      producer.commit();
    }

    await().atMost(SOON).until(() -> broker.count() == 11);
    assertThat(ids(broker, "k0")).containsExactlyElementsOf(ids);
  }

  @Test
  void aCrashInTheMiddleOfTheStampingChangesNothingAndItIsDoneAgain() throws Exception {
    try (TestPostgres server = TestPostgres.start();
        OutboxDatabase target = new OutboxDatabase(server.createDatabase(), 100_000, 4)) {
      Relay first = start(origin);
      commit(origin, 40);
      await().atMost(SOON).until(() -> broker.count() == 40);
      first.close();
      List<UUID> unpublished = commit(origin, 40);
      Dump.of(origin).loadRows(target);
      List<UUID> younger = commit(target, 20);
      Connection holder = target.begin();
      // Nearly everything is done when these rows are asked for, the sequence included.
      holder.createStatement().execute("lock table twinbox.qrtz_triggers");
      CompletableFuture<Optional<Restamp.Report>> stamping =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return new Restamp(target.pipeline(), OutboxDatabase.TABLES).run("test", "test");
                } catch (SQLException e) {
                  throw new CompletionException(e);
                }
              });
      // Over a connection that is open: the stamping gives up after a second.
      try (PreparedStatement waiting =
          holder.prepareStatement(
              "select count(*) from pg_locks where not granted and relation ="
                  + " 'twinbox.qrtz_triggers'::regclass")) {
        await().pollInterval(Duration.ofMillis(10)).until(() -> number(waiting) == 1);
      }
      server.stopImmediately();
      assertThat(stamping).failsWithin(SOON);
      server.restart();

      assertThat(target.number(count("outbox"))).isEqualTo(100);
      assertThat(new ClusterGuard(target.pipeline(), OutboxDatabase.TABLES).doubts()).isPresent();
      MemoryBroker after = new MemoryBroker();
      Relay relay = start(target.dataSource(), after);
      await().atMost(SOON).until(() -> after.count() == 60);
      relay.close();
      assertThat(ids(after, "k0")).containsExactlyElementsOf(concat(unpublished, younger));
    }
  }

  @Test
  void aPromotedBaseBackupGoesOnWhereItsTablesSay() throws Exception {
    try (TestPostgres primary = TestPostgres.start();
        OutboxDatabase before = new OutboxDatabase(primary.createDatabase(), 100_000, 4)) {
      ExchangedDataSource address = new ExchangedDataSource(before.database().dataSource());
      start(address, broker);
      List<UUID> ids = new ArrayList<>(commit(before, 30));
      await().atMost(SOON).until(() -> broker.count() == 30);
      broker.silent(true);
      ids.addAll(commit(before, 30));
      await().atMost(SOON).until(() -> openWindows(before) == 1);
      try (TestPostgres standby = primary.promotedBaseBackup();
          OutboxDatabase promoted =
              OutboxDatabase.existing(
                  new dev.twinbox.testkit.TestDatabase(standby, before.database().name()))) {
        ids.addAll(commit(promoted, 30));
        primary.stopImmediately();
        broker.silent(false);
        address.is(promoted.database().dataSource());

        await().atMost(SOON).until(() -> broker.count() >= 90);
        // What the broker held unconfirmed when the relay let go of it can be there twice.
        assertThat(ids(broker, "k0").stream().distinct()).containsExactlyElementsOf(ids);
        assertThat(broker.count()).isLessThanOrEqualTo(120);
        await()
            .atMost(SOON)
            .until(
                () ->
                    promoted.number(
                            "select count(*) from twinbox.outbox_audit where action = 'promotion'")
                        == 1);
        closeRelays();
      }
    }
  }

  @Test
  @Tag("long")
  void aMillionMessagesAreStampedAnewInOneGo() throws Exception {
    origin.execute(
        "insert into twinbox.outbox (lane, id, destination, key, type, payload) select n % 4,"
            + " gen_random_uuid(), 'kafka:test', 'k' || n % 1000, 'test', decode(repeat('ab', 300),"
            + " 'hex') from generate_series(1, 1000000) n");
    restore(true);
    long began = System.nanoTime();

    Restamp.Report report =
        new Restamp(restored.pipeline(), OutboxDatabase.TABLES).run("test", "test").orElseThrow();

    System.out.printf(
        Locale.ROOT,
        "1,000,000 messages of 300 bytes stamped anew in %.1f s%n",
        (System.nanoTime() - began) / 1e9);
    assertThat(report.stamped()).isEqualTo(1_000_000);
    assertThat(restored.number(count("outbox"))).isEqualTo(1_000_000);
  }

  private void restore(boolean sequences) throws SQLException, IOException {
    Dump dump = Dump.of(origin);
    dump.loadRows(restored);
    if (sequences) {
      dump.loadSequences(restored);
    }
  }

  private Relay start(OutboxDatabase database) {
    return start(database.dataSource(), broker);
  }

  private Relay start(DataSource dataSource, MemoryBroker to) {
    return start(dataSource, to, SETTINGS);
  }

  private Relay start(DataSource dataSource, MemoryBroker to, DrainSettings settings) {
    Relay relay =
        Relay.builder()
            .dataSource(dataSource)
            .broker(to.borrowed())
            .settings(settings)
            .build()
            .start();
    synchronized (open) {
      open.add(relay);
    }
    return relay;
  }

  /** Relays must be gone before their server is. */
  private void closeRelays() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    open.clear();
  }

  private static List<UUID> commit(OutboxDatabase database, int messages) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < messages; i++) {
      ids.add(database.commitOne(0, "k0"));
    }
    return ids;
  }

  private static List<UUID> ids(MemoryBroker broker, String key) {
    return broker.kept().stream()
        .filter(record -> key.equals(record.key()))
        .map(OutboxRecord::id)
        .toList();
  }

  private static List<UUID> concat(Collection<UUID> first, Collection<UUID> second) {
    List<UUID> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }

  private static long openWindows(OutboxDatabase database) throws SQLException {
    return database.number(
        "select count(*) from twinbox.outbox_lane_state where target is not null");
  }

  private static String count(String table) {
    return "select count(*) from twinbox." + table;
  }

  private static long number(PreparedStatement query) throws SQLException {
    try (ResultSet rows = query.executeQuery()) {
      rows.next();
      return rows.getLong(1);
    }
  }
}
