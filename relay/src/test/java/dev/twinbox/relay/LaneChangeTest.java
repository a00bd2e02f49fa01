package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.outbox.LaneHash;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.drain.RetryPolicy.AfterGrace;
import dev.twinbox.relay.store.LaneChange;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The number of lanes changes while producers enqueue and relays publish. */
class LaneChangeTest {
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final Duration MOMENT = Duration.ofSeconds(2);
  private static final DrainSettings SETTINGS =
      DrainSettings.DEFAULTS
          .withLease(Duration.ofSeconds(2))
          .withPages(50, 1 << 20)
          .withRetry(
              RetryPolicy.DEFAULTS
                  .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
                  .withMaxAttempts(1)
                  .withGracePeriod(Duration.ofMillis(100), AfterGrace.WAIT));

  private final OutboxDatabase database = new OutboxDatabase(2_000, 8);
  private final Outbox outbox = Outbox.builder().source("/test").build();
  private final LaneChange lanes =
      new LaneChange(database.database().dataSource(), OutboxDatabase.TABLES);
  private final MemoryBroker broker = new MemoryBroker();
  private final List<Relay> relays = new ArrayList<>();

  @AfterEach
  void close() {
    relays.forEach(Relay::close);
    broker.close();
    database.close();
  }

  @Tag("essential")
  @Test
  void theHashInTheDatabaseIsTheOneOfProducers() throws SQLException {
    Random random = new Random(7);
    try (Connection connection = database.begin();
        PreparedStatement hash =
            connection.prepareStatement("select twinbox.outbox_lane_hash(?, ?)")) {
      for (int i = 0; i < 500; i++) {
        UUID id = new UUID(random.nextLong(), random.nextLong());
        String key =
            random
                .ints(random.nextInt(1, 20), 1, 0xd7ff)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        assertThat(hash(hash, key, id)).isEqualTo(LaneHash.of(key));
        assertThat(hash(hash, null, id)).isEqualTo(LaneHash.of(id));
      }
    }
  }

  private static int hash(PreparedStatement hash, @Nullable String key, UUID id)
      throws SQLException {
    hash.setString(1, key);
    hash.setObject(2, id);
    try (ResultSet rows = hash.executeQuery()) {
      rows.next();
      return rows.getInt(1);
    }
  }

  @Test
  void underLoadNothingIsLostOrRepeatedAndEveryKeyKeepsItsOrder() throws Exception {
    relay();
    relay();
    AtomicBoolean enough = new AtomicBoolean();
    List<CompletableFuture<Map<String, List<UUID>>>> writers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int writer = i;
      writers.add(CompletableFuture.supplyAsync(() -> write(writer, enough)));
    }
    awaitPublished(100);

    for (int count : List.of(9, 2, 5)) {
      int before = broker.count();
      change(count);
      awaitPublished(before + 200);
    }
    enough.set(true);
    Map<String, List<UUID>> enqueued = new HashMap<>();
    for (CompletableFuture<Map<String, List<UUID>>> writer : writers) {
      enqueued.putAll(writer.get(1, TimeUnit.MINUTES));
    }

    int all = enqueued.values().stream().mapToInt(List::size).sum();
    await().atMost(SOON).until(() -> broker.count() >= all);
    assertThat(byKey(broker.kept())).isEqualTo(enqueued);
    await().atMost(SOON).until(() -> lanes.list().get(0).closing().isEmpty());
    await().atMost(SOON).until(() -> held() == 5);
    assertThat(lanes.list().get(0).lanes()).isEqualTo(5);
    database.rotation().rotate();
  }

  /** Keeps one statement prepared, as the driver does, across the changes. */
  private Map<String, List<UUID>> write(int writer, AtomicBoolean enough) {
    Map<String, List<UUID>> enqueued = new HashMap<>();
    try (Connection connection = database.begin()) {
      for (int i = 0; !enough.get(); i++) {
        String key = "w%s-k%s".formatted(writer, i % 10);
        UUID id =
            outbox.enqueue(connection, Message.to("kafka:test").key(key).type("t").json(i)).id();
        connection.commit();
        enqueued.computeIfAbsent(key, k -> new ArrayList<>()).add(id);
      }
      return enqueued;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Tag("essential")
  @Test
  void aBacklogOfTheFormerLanesGoesFirst() throws SQLException {
    List<UUID> ids = enqueue(300, "k");
    change(7);
    ids.addAll(enqueue(300, "k"));
    change(3);
    ids.addAll(enqueue(300, "k"));

    relay();

    awaitPublished(900);
    assertThat(broker.kept()).extracting(OutboxRecord::id).containsExactlyElementsOf(ids);
  }

  @Test
  void aLaneIsNotClaimedBeforeEarlierOnesAreClosed() throws SQLException {
    change(2);
    LaneChange.BrokerLanes kafka = lanes.list().get(0);

    assertThat(kafka.closing()).containsExactly(0, 1, 2, 3);
    assertThat(claim(kafka.first())).isFalse();
    assertThat(claim(0)).isTrue();
    database.execute(
        "update twinbox.outbox_lane set drained_at = now(), closed_at = now() where lane < 4");
    assertThat(claim(kafka.first())).isTrue();
    assertThat(claim(1)).isFalse();
  }

  private boolean claim(int lane) throws SQLException {
    var log = database.log(Duration.ofSeconds(10));
    return log.claim(log.read(lane).orElseThrow(), "test").isPresent();
  }

  @Test
  void anOpenTransactionThatHasEnqueuedLetsNothingBeChanged() throws Exception {
    try (Connection open = database.begin()) {
      UUID early = enqueue(open, "k");

      assertThat(lanes.run("kafka", 6, "test", Duration.ofMillis(50))).isEmpty();
      assertThat(lanes.list().get(0).lanes()).isEqualTo(4);

      open.commit();
      change(6);
      UUID late = enqueue(1, "k").get(0);
      relay();
      awaitPublished(2);
      assertThat(broker.kept()).extracting(OutboxRecord::id).containsExactly(early, late);
    }
  }

  @Test
  void aProducerThatWaitsBehindTheChangeEnqueuesIntoTheNewLanes() throws Exception {
    try (Connection open = database.begin();
        Connection waiting = database.begin()) {
      for (int i = 0; i < 10; i++) {
        enqueue(waiting, "k");
        waiting.commit();
      }
      enqueue(open, "k");
      CompletableFuture<Boolean> changing =
          CompletableFuture.supplyAsync(() -> tryToChange(6, Duration.ofSeconds(30)));
      awaitLockWaits(1);
      CompletableFuture<Boolean> enqueuing =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  enqueue(waiting, "k");
                  waiting.commit();
                  return true;
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      awaitLockWaits(2);
      open.commit();

      assertThat(changing.get(1, TimeUnit.MINUTES)).isTrue();
      assertThat(enqueuing.get(1, TimeUnit.MINUTES)).isTrue();
    }
    int first = lanes.list().get(0).first();
    assertThat(database.number("select count(*) from twinbox.outbox where lane >= " + first))
        .isEqualTo(1);
  }

  private boolean tryToChange(int count, Duration lockTimeout) {
    try {
      return lanes.run("kafka", count, "test", lockTimeout).isPresent();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void awaitLockWaits(int sessions) {
    await()
        .atMost(SOON)
        .until(
            () ->
                database.number(
                        "select count(*) from pg_stat_activity where datname = current_database()"
                            + " and wait_event_type = 'Lock'")
                    == sessions);
  }

  /** Its snapshot still shows the former lanes, which nobody may add to any more. */
  @Test
  void aRepeatableReadTransactionFromBeforeIsRefusedAndCanBeRunAgain() throws Exception {
    try (Connection old = database.begin()) {
      old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      old.createStatement().execute("select 1 from twinbox.outbox_broker");
      change(6);

      assertThatThrownBy(() -> enqueue(old, "k"))
          .isInstanceOf(DataAccessException.class)
          .hasMessageContaining("number of lanes was changed")
          .hasMessageContaining("run it again");

      old.rollback();
      enqueue(old, "k");
      old.commit();
    }
  }

  @Test
  void whatIsParkedOrDeadMovesAlongAndKeepsItsPlace() throws Exception {
    AtomicBoolean down = new AtomicBoolean(true);
    broker.troubledBy(
        message ->
            down.get() && message.destination().equals("kafka:down")
                ? Optional.of(
                    new Outcome.Unavailable(
                        Outcome.Reason.MISSING_DESTINATION, "no such destination"))
                : message.type().equals("bad")
                    ? Optional.of(new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "too large"))
                    : Optional.empty());
    relay();
    Map<String, List<UUID>> expected = new LinkedHashMap<>();
    for (int i = 0; i < 60; i++) {
      String key = "k" + i % 12;
      expected.computeIfAbsent(key, k -> new ArrayList<>()).add(enqueue("kafka:down", key, "t"));
      enqueue("kafka:up", "other" + i % 12, "t");
    }
    UUID bad = enqueue("kafka:up", "bad", "bad");
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_parked") == 60);
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_dead_letter") == 1);

    change(9);
    for (int i = 0; i < 60; i++) {
      String key = "k" + i % 12;
      expected.computeIfAbsent(key, k -> new ArrayList<>()).add(enqueue("kafka:down", key, "t"));
    }
    await().atMost(SOON).until(() -> lanes.list().get(0).closing().isEmpty());
    int first = lanes.list().get(0).first();
    assertThat(
            database.number(
                "select (select count(*) from twinbox.outbox_parked where lane < "
                    + first
                    + ") + (select count(*) from twinbox.outbox_dead_letter where lane < "
                    + first
                    + ")"))
        .isZero();
    down.set(false);

    await().atMost(SOON).until(() -> broker.count() >= 180);
    Map<String, List<UUID>> came = byKey(broker.kept());
    expected.forEach((key, ids) -> assertThat(came.get(key)).containsExactlyElementsOf(ids));
    broker.troubledBy(message -> Optional.empty());
    DeadLetterQueue.in(database.dataSource(), "twinbox").redrive(Selection.all(), Act.by("test"));
    await().atMost(SOON).until(() -> byKey(broker.kept()).containsKey("bad"));
    assertThat(byKey(broker.kept()).get("bad")).containsExactly(bad);
  }

  /** Killed between two steps, the next owner only moves, and publishes nothing from there. */
  @Test
  void aDrainedLaneIsOnlyMovedFrom() throws Exception {
    change(6);
    database.execute(
        "insert into twinbox.outbox_parked (lane, position, id, created_at, destination, key, type,"
            + " reason) select 0, n, gen_random_uuid(), now(), 'kafka:test', 'k', 't', 'test' from"
            + " generate_series(1, 5000) n");
    database.execute("update twinbox.outbox_lane set drained_at = now() where lane = 0");

    relay();

    awaitPublished(5_000);
    assertThat(broker.kept())
        .extracting(OutboxRecord::position)
        .isSortedAccordingTo(Long::compare)
        .doesNotHaveDuplicates();
    int lane = lanes.list().get(0).first() + LaneHash.of("k") % 6;
    assertThat(broker.kept()).extracting(OutboxRecord::lane).containsOnly(lane);
  }

  @Test
  void whatIsOutOfBoundsIsRefused() {
    assertThatThrownBy(() -> change(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("choose 1 to 1024");
    assertThatThrownBy(() -> lanes.run("pulsar", 4, "test", MOMENT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[kafka, rabbitmq]");
  }

  private void change(int count) throws SQLException {
    for (Optional<LaneChange.Changed> changed = Optional.empty(); changed.isEmpty(); ) {
      changed = lanes.run("kafka", count, "test", MOMENT);
    }
  }

  private Relay relay() {
    Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .settings(SETTINGS)
            .build()
            .start();
    relays.add(relay);
    return relay;
  }

  private int held() {
    return relays.stream().mapToInt(relay -> relay.heldLanes().size()).sum();
  }

  private void awaitPublished(int count) {
    await().atMost(SOON).until(() -> broker.count() >= count);
  }

  private List<UUID> enqueue(int count, String key) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    try (Connection producer = database.begin()) {
      for (int i = 0; i < count; i++) {
        ids.add(enqueue(producer, key));
        producer.commit();
      }
    }
    return ids;
  }

  private UUID enqueue(Connection producer, String key) {
    return outbox.enqueue(producer, Message.to("kafka:test").key(key).type("t").json(1)).id();
  }

  private UUID enqueue(String destination, String key, String type) throws SQLException {
    try (Connection producer = database.begin()) {
      UUID id = outbox.enqueue(producer, Message.to(destination).key(key).type(type).json(1)).id();
      producer.commit();
      return id;
    }
  }

  private static Map<String, List<UUID>> byKey(List<OutboxRecord> messages) {
    Map<String, List<UUID>> byKey = new HashMap<>();
    for (OutboxRecord message : messages) {
      byKey
          .computeIfAbsent(String.valueOf(message.key()), k -> new ArrayList<>())
          .add(message.id());
    }
    return byKey;
  }
}
