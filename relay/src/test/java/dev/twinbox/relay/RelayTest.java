package dev.twinbox.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicies;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.drain.RetryPolicy.AfterGrace;
import dev.twinbox.relay.store.SchemaGuard;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class RelayTest {
  private static final DrainSettings SETTINGS =
      DrainSettings.DEFAULTS
          .withLease(Duration.ofSeconds(2))
          .withRetry(
              RetryPolicy.DEFAULTS
                  .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
                  .withMaxAttempts(3)
                  .withGracePeriod(Duration.ofMillis(300), AfterGrace.DEAD_LETTER));

  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
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
  void whatIsCommittedIsPublishedInOrderOfItsKey() throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      ids.add(database.commitOne(0, "k"));
    }
    start();

    await().until(() -> broker.count() == 50);

    assertThat(ids()).containsExactlyElementsOf(ids);
  }

  @Test
  void anOpenTransactionThatHasEnqueuedHoldsUpOnlyItsOwnMessages() throws SQLException {
    start();
    try (Connection open = database.begin()) {
      UUID waiting = database.insert(open, 0, "slow");
      for (int i = 0; i < 100; i++) {
        database.commitOne(i % 4, "k" + i % 4);
      }
      await().atMost(Duration.ofSeconds(20)).until(() -> broker.count() == 100);
      assertThat(ids()).doesNotContain(waiting);

      open.commit();

      await().until(() -> broker.count() == 101);
      assertThat(ids()).endsWith(waiting);
    }
  }

  @Test
  void aTransactionInAnotherDatabaseOfTheServerHoldsUpNothing() throws SQLException {
    TestDatabase other = TestPostgres.shared().createDatabase();
    start();
    try (Connection open = other.dataSource().getConnection()) {
      open.setAutoCommit(false);
      open.createStatement().execute("create table held (n int)");
      for (int i = 0; i < 100; i++) {
        database.commitOne(i % 4, "k" + i % 4);
      }

      await().atMost(Duration.ofSeconds(20)).until(() -> broker.count() == 100);
    }
  }

  @Test
  void aCommitOfAnOutboxInTheSameProcessWakesTheRelay() throws SQLException {
    Outbox outbox = Outbox.builder().source("/test").build();
    Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .outbox(outbox)
            .settings(polling(Duration.ofSeconds(100)))
            .build()
            .start();
    relays.add(relay);
    await().until(() -> relay.heldLanes().size() == 4);
    DSLContext dsl = DSL.using(database.dataSource(), SQLDialect.POSTGRES);
    dsl.configuration().set(outbox.wakeOnCommit());

    dsl.transaction(
        work ->
            outbox.enqueue(
                work.dsl(), Message.to("kafka:test").type("test").key("k").text("hello")));

    await().atMost(Duration.ofSeconds(30)).until(() -> broker.count() == 1);
    assertThat(broker.kept().get(0).payload()).asString(UTF_8).isEqualTo("hello");
  }

  private static DrainSettings polling(Duration every) {
    return new DrainSettings(
        100,
        1 << 20,
        1_000,
        1 << 20,
        Duration.ofMinutes(10),
        every,
        every,
        RetryPolicies.DEFAULTS,
        Duration.ofSeconds(5));
  }

  @Test
  void aRelayNeedsNoMoreThanItsGrants() throws SQLException {
    database.execute("create role relay_%s login".formatted(database.database().name()));
    String role = "relay_" + database.database().name();
    Migrations.defaults().grantRelay(database.dataSource(), role);
    Relay relay =
        Relay.builder()
            .dataSource(database.database().dataSource(role))
            .broker(broker.borrowed())
            .settings(SETTINGS)
            .build()
            .start();
    relays.add(relay);
    database.execute(
        "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, type) values"
            + " (clock_timestamp(), gen_random_uuid(), 'kafka', 0, 'kafka:test', 'test')");
    try (Connection producer = database.begin()) {
      for (int i = 0; i < 1_100; i++) {
        database.insert(producer, i % 4, "k");
      }
      producer.commit();
    }

    await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() == 1_101);
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> database.number("select pg_relation_size('twinbox.outbox_0')") == 0);
  }

  @Tag("essential")
  @Test
  void aStopSettlesAndTheNextRelayRepeatsNothing() throws SQLException {
    for (int i = 0; i < 20; i++) {
      database.commitOne(i % 4, "k");
    }
    Relay first = start();
    await().until(() -> broker.count() == 20);

    first.close();

    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_lane_state where owner is not null"))
        .isZero();
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_lane_state where target is not null"))
        .isZero();
    start();
    UUID next = database.commitOne(0, "k");
    await().until(() -> broker.count() == 21);
    assertThat(ids()).endsWith(next);
  }

  @Test
  void aStopInMidBatchWaitsForConfirmsAndNotesTheCursor() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    broker.troubledBy(
        message -> {
          reached.countDown();
          awaitLatch(goOn);
          return Optional.empty();
        });
    for (int i = 0; i < 20; i++) {
      database.commitOne(0, "k");
    }
    Relay relay = start();
    assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
    Thread closing = new Thread(relay::close);
    closing.start();
    await().until(() -> closing.getState() != Thread.State.RUNNABLE);
    goOn.countDown();
    closing.join(20_000);

    assertThat(closing.isAlive()).isFalse();
    start();
    UUID next = database.commitOne(0, "k");
    await().until(() -> ids().contains(next));
    assertThat(broker.count()).isEqualTo(21);
  }

  @Test
  void aCrashBetweenPublishAndSettleRepublishesTheMessageWithTheSameId() throws SQLException {
    UUID id = database.commitOne(0, "k");
    // The broker takes the message, and the relay dies before it hears of that.
    AtomicBoolean first = new AtomicBoolean(true);
    broker.troubledBy(
        message -> {
          if (first.getAndSet(false)) {
            broker.keepUnconfirmed(message);
            throw new IllegalStateException("the relay is killed here");
          }
          return Optional.empty();
        });
    start();

    await().until(() -> broker.count() == 2);

    assertThat(ids()).containsExactly(id, id);
  }

  @Test
  void aRejectedMessageIsADeadLetterAndItsNeighboursGoOn() throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ids.add(database.commitOne(0, "k"));
    }
    UUID culprit = ids.get(2);
    broker.troubledBy(
        message ->
            message.id().equals(culprit)
                ? Optional.of(new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "2 MiB"))
                : Optional.empty());
    start();

    await().until(() -> broker.count() == 4);

    assertThat(ids()).containsExactly(ids.get(0), ids.get(1), ids.get(3), ids.get(4));
    await()
        .until(
            () ->
                database.number(
                        "select count(*) from twinbox.outbox_dead_letter where reason ="
                            + " 'too-large' and id = '%s'".formatted(culprit))
                    == 1);
  }

  @Test
  void anUnavailableBrokerCostsNoAttemptAndItsMessagesKeepTheirOrder() throws SQLException {
    AtomicInteger refusals = new AtomicInteger();
    broker.troubledBy(
        message ->
            refusals.incrementAndGet() < 12
                ? Optional.of(new Outcome.Unavailable(Outcome.Reason.UNREACHABLE, "down"))
                : Optional.empty());
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      ids.add(database.commitOne(0, "k"));
    }
    start();

    await().atMost(Duration.ofSeconds(20)).until(() -> broker.count() == 30);

    assertThat(ids()).containsExactlyElementsOf(ids);
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
  }

  @Tag("essential")
  @Test
  void aMessageThatFailsAgainAndAgainIsGivenUpWithItsAttempts() throws SQLException {
    UUID culprit = database.commitOne(0, "k");
    UUID follower = database.commitOne(0, "k");
    UUID neighbour = database.commitOne(0, "neighbour");
    broker.troubledBy(
        message ->
            message.id().equals(culprit)
                ? Optional.of(new Outcome.Failed(Outcome.Reason.MALFORMED, "odd"))
                : Optional.empty());
    start();

    await().until(() -> broker.count() == 2);

    assertThat(ids()).containsExactly(neighbour, follower);
    assertThat(
            database.number(
                "select attempts from twinbox.outbox_dead_letter where reason = 'malformed'"))
        .isEqualTo(3);
  }

  @Test
  void anUnroutableMessageIsADeadLetterAfterTheGracePeriodAndNotBefore() throws SQLException {
    UUID culprit = database.commitOne(0, null);
    AtomicInteger returns = new AtomicInteger();
    broker.troubledBy(
        message -> {
          returns.incrementAndGet();
          return Optional.of(new Outcome.Unavailable(Outcome.Reason.UNROUTABLE, "no queue"));
        });
    start();

    await().until(() -> database.number("select count(*) from twinbox.outbox_dead_letter") == 1);

    assertThat(returns.get()).isGreaterThan(1);
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_dead_letter where reason = 'unroutable' and"
                    + " attempts = 0 and id = '%s'".formatted(culprit)))
        .isEqualTo(1);
    assertThat(broker.count()).isZero();
  }

  @Tag("essential")
  @Test
  void anExpiredMessageIsNeverHandedToTheBroker() throws SQLException {
    UUID expired;
    try (Connection producer = database.begin();
        PreparedStatement insert =
            producer.prepareStatement(
                "insert into twinbox.outbox (lane, id, destination, type, expires_at) values (0, ?,"
                    + " 'kafka:test', 'test', clock_timestamp() - interval '1 second')")) {
      expired = UUID.randomUUID();
      insert.setObject(1, expired);
      insert.executeUpdate();
      producer.commit();
    }
    UUID fresh = database.commitOne(0, "k");
    start();

    await().until(() -> broker.count() == 1);

    assertThat(ids()).containsExactly(fresh);
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_dead_letter where reason = 'expired' and id ="
                    + " '%s'".formatted(expired)))
        .isEqualTo(1);
  }

  @Test
  void aMessageThatExpiresWhileTheBrokerHoldsItUnsentIsTakenBack() throws SQLException {
    broker.silent(true);
    try (Connection producer = database.begin()) {
      producer
          .createStatement()
          .execute(
              "insert into twinbox.outbox (lane, id, destination, type, expires_at) values (0,"
                  + " gen_random_uuid(), 'kafka:test', 'test', clock_timestamp() + interval '700"
                  + " milliseconds')");
      producer.commit();
    }
    start();

    await()
        .until(
            () ->
                database.number(
                        "select count(*) from twinbox.outbox_dead_letter where reason = 'expired'")
                    == 1);
    broker.silent(false);
    UUID fresh = database.commitOne(0, "k");
    await().until(() -> ids().contains(fresh));
  }

  @Tag("essential")
  @Test
  void dueMessagesArePromotedInOrderOfTheirDueTimes() throws SQLException {
    database.execute(
        "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, key, type)"
            + " select clock_timestamp() + (11 - n) * interval '10 milliseconds',"
            + " ('00000000-0000-7000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid, 'kafka', 0,"
            + " 'kafka:test', 'k', 'test' from generate_series(1, 10) n");
    start();

    await().until(() -> broker.count() == 10);

    assertThat(ids()).isSortedAccordingTo((a, b) -> b.compareTo(a)).hasSize(10);
  }

  @Tag("essential")
  @Test
  void aLeafIsEmptiedOnceAllOfItIsRelayed() throws SQLException {
    start();
    try (Connection producer = database.begin()) {
      for (int i = 0; i < 1_200; i++) {
        database.insert(producer, i % 4, "k");
      }
      producer.commit();
    }
    await().atMost(Duration.ofSeconds(30)).until(() -> broker.count() == 1_200);

    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> database.number("select pg_relation_size('twinbox.outbox_0')") == 0);
  }

  @Test
  void relaysWithDifferentBrokersDoNotKeepEachOthersLanes() {
    Relay kafka = start();
    MemoryBroker other = new MemoryBroker("rabbitmq");
    Relay rabbit =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(other)
            .settings(SETTINGS)
            .build()
            .start();
    relays.add(rabbit);

    await().until(() -> kafka.heldLanes().size() == 4 && rabbit.heldLanes().size() == 4);
  }

  @Test
  void aDeadLetterDoesNotComeBackAfterItsFollowers() throws SQLException {
    UUID culprit = database.commitOne(0, "k");
    UUID follower = database.commitOne(0, "k");
    UUID last = database.commitOne(0, "k");
    AtomicBoolean dead = new AtomicBoolean();
    broker.troubledBy(
        message -> {
          if (message.id().equals(culprit) && !dead.get()) {
            return Optional.of(new Outcome.Rejected(Outcome.Reason.MALFORMED, "no"));
          }
          return message.id().equals(last) && !dead.get()
              ? Optional.of(new Outcome.Unavailable(Outcome.Reason.UNREACHABLE, "down"))
              : Optional.empty();
        });
    Relay first = start();
    await().until(() -> ids().contains(follower));
    await().until(() -> database.number("select count(*) from twinbox.outbox_dead_letter") == 1);
    first.close();
    // As if the first relay had died before it wrote how far it was.
    database.execute(
        "insert into twinbox.outbox_lane_log select lane, seq + 1, 'test', null, null, epoch, null,"
            + " window_number, done, target, floor, next_floor, ceiling, 0, '{}' from"
            + " twinbox.outbox_lane_state where lane = 0");
    dead.set(true);
    start();

    await().until(() -> ids().contains(last));

    assertThat(ids()).doesNotContain(culprit);
  }

  @Test
  void whatIsForeverUnknownIsTriedAgainWithPauses() throws SQLException {
    AtomicInteger tries = new AtomicInteger();
    broker.troubledBy(
        message -> {
          tries.incrementAndGet();
          return Optional.of(new Outcome.Unknown("nobody knows"));
        });
    database.commitOne(0, "k");
    start(
        SETTINGS.withRetry(
            RetryPolicy.DEFAULTS.withPauses(Duration.ofSeconds(60), Duration.ofSeconds(60))));

    await().until(() -> tries.get() == 1);

    await()
        .during(Duration.ofSeconds(1))
        .atMost(Duration.ofSeconds(20))
        .until(() -> tries.get() == 1);
  }

  @Test
  void aRowWithAnEndlessExpiryIsPublished() throws SQLException {
    database.execute(
        "insert into twinbox.outbox (lane, id, destination, type, expires_at) values (0,"
            + " gen_random_uuid(), 'kafka:test', 'test', 'infinity')");
    start();

    await().until(() -> broker.count() == 1);
  }

  @Test
  void twoRelaysShareTheLanesAndTheSurvivorTakesAll() throws SQLException {
    Relay first = start();
    await().until(() -> first.heldLanes().size() == 4);
    Relay second = start();

    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> first.heldLanes().size() == 2 && second.heldLanes().size() == 2);
    first.close();
    await().atMost(Duration.ofSeconds(20)).until(() -> second.heldLanes().size() == 4);

    database.commitOne(0, "k");
    await().until(() -> broker.count() == 1);
  }

  @Test
  void aRelayRefusesADatabaseWithoutTablesAndNamesTheRemedy() {
    TestDatabase empty = TestPostgres.shared().createDatabase();
    try (Relay relay =
        Relay.builder().dataSource(empty.dataSource()).broker(new MemoryBroker()).build()) {
      assertThatThrownBy(relay::start)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("version " + SchemaGuard.CODE_VERSION)
          .hasMessageContainingAll("bin/twinbox migrate", "Migrations.apply(dataSource)");
    }
  }

  @Test
  void aRelayRefusesASchemaThatNoLongerServesIt() throws SQLException {
    database.execute(
        "insert into twinbox.schema_version (version, serves_code_from) values (99, 98)");
    try (Relay relay =
        Relay.builder().dataSource(database.dataSource()).broker(new MemoryBroker()).build()) {
      assertThatThrownBy(relay::start)
          .hasMessageContaining("version 99")
          .hasMessageContaining("Upgrade");
    }
  }

  @Test
  void aSchemaOneStepNewerThatStillServesThisCodeIsFine() throws SQLException {
    database.execute(
        "insert into twinbox.schema_version (version, serves_code_from) values (%s, %s)"
            .formatted(SchemaGuard.CODE_VERSION + 1, SchemaGuard.CODE_VERSION));
    start();
    database.commitOne(0, "k");

    await().until(() -> broker.count() == 1);
  }

  private Relay start() {
    return start(SETTINGS);
  }

  private Relay start(DrainSettings settings) {
    Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .settings(settings)
            .build()
            .start();
    relays.add(relay);
    return relay;
  }

  private List<UUID> ids() {
    return broker.kept().stream().map(OutboxRecord::id).toList();
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      if (!latch.await(20, TimeUnit.SECONDS)) {
        throw new IllegalStateException("nobody let the broker go on");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
