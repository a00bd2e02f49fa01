package dev.twinbox.relay.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.relay.MemoryBroker;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.store.DeadLetterTable.BlockedKey;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.AuditLine;
import dev.twinbox.setaside.BeyondHorizonException;
import dev.twinbox.setaside.Cause;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAsideMessage;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DeadLetterQueueTest {
  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private final DeadLetterQueue letters = DeadLetterQueue.in(database.dataSource(), "twinbox");
  private final MemoryBroker broker = new MemoryBroker();
  private final Set<UUID> refused = ConcurrentHashMap.newKeySet();
  private final List<Relay> relays = new ArrayList<>();

  DeadLetterQueueTest() {
    broker.troubledBy(
        message ->
            refused.contains(message.id())
                ? Optional.of(new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "2 MiB"))
                : Optional.empty());
  }

  @AfterEach
  void close() {
    relays.forEach(Relay::close);
    broker.close();
    database.close();
  }

  @Tag("essential")
  @Test
  void aDeadLetterKeepsTheWholeMessageWithReasonErrorAttemptsAndTimes() throws SQLException {
    UUID id = refusedMessage("k");
    start(false);
    await().until(() -> dead() == 1);

    SetAsideMessage listed = letters.list(Selection.all()).get(0);
    SetAsideMessage shown = letters.find(listed.number()).orElseThrow();

    assertThat(listed.payload()).isNull();
    assertThat(listed.payloadBytes()).isEqualTo(3);
    assertThat(shown.payload()).containsExactly(1, 2, 3);
    assertThat(shown.messageId()).isEqualTo(id);
    assertThat(shown.key()).isEqualTo("k");
    assertThat(shown.destination()).isEqualTo("kafka:test");
    assertThat(shown.reason()).isEqualTo("too-large");
    assertThat(shown.error()).isEqualTo("2 MiB");
    assertThat(shown.attempts()).isEqualTo(1);
    assertThat(shown.firstFailedAt()).isBeforeOrEqualTo(shown.at().plusSeconds(60));
    assertThat(letters.causes(Selection.all()))
        .extracting(Cause::where, Cause::reason, Cause::count, Cause::lastError)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("kafka:test", "too-large", 1L, "2 MiB"));
    assertThat(letters.find(999)).isEmpty();
  }

  @Tag("essential")
  @Test
  void aRedriveSendsTheSameMessagesAgainInTheirOrderAndOnlyOnce() throws Exception {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 1_200; i++) {
      ids.add(refusedMessage("k" + i % 3));
    }
    start(false);
    await().atMost(Duration.ofSeconds(60)).until(() -> dead() == 1_200);
    refused.clear();
    List<Long> reached = new ArrayList<>();

    long sent =
        letters.redrive(
            Selection.all().reason("too-large"),
            Act.by("ann").evenBeyondHorizon().progress((done, all, last) -> reached.add(done)));
    long again = letters.redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());

    assertThat(sent).isEqualTo(1_200);
    assertThat(again).isZero();
    assertThat(reached).containsExactly(500L, 1_000L, 1_200L);
    await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() == 1_200);
    assertThat(broker.kept().stream().map(OutboxRecord::id)).containsExactlyElementsOf(ids);
    assertThat(letters.audit(10))
        .extracting(AuditLine::by, AuditLine::action, AuditLine::selection, AuditLine::affected)
        .containsOnly(
            org.assertj.core.groups.Tuple.tuple("ann", "redrive", "reason = too-large", 500L),
            org.assertj.core.groups.Tuple.tuple("ann", "redrive", "reason = too-large", 200L));
    assertThat(letters.audit(10))
        .extracting(AuditLine::act)
        .containsOnly(letters.audit(1).get(0).act());
  }

  @Test
  void twoOperatorsAtOnceSendNothingTwice() throws Exception {
    for (int i = 0; i < 600; i++) {
      refusedMessage("k");
    }
    start(false);
    await().atMost(Duration.ofSeconds(60)).until(() -> dead() == 600);
    refused.clear();
    ExecutorService both = Executors.newFixedThreadPool(2);
    Act slowly = Act.by("both").evenBeyondHorizon().perSecond(400);
    Future<Long> one = both.submit(() -> letters.redrive(Selection.all(), slowly));
    Future<Long> two = both.submit(() -> letters.redrive(Selection.all(), slowly));

    assertThat(one.get() + two.get()).isLessThanOrEqualTo(600);
    letters.redrive(Selection.all(), Act.by("rest").evenBeyondHorizon());
    both.shutdown();

    await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() >= 600);
    assertThat(broker.kept().stream().map(OutboxRecord::id)).doesNotHaveDuplicates().hasSize(600);
  }

  @Test
  void aSelectionTakesWhatItNamesAndNothingElse() throws Exception {
    UUID wanted = refusedMessage("a");
    refusedMessage("b");
    start(false);
    await().until(() -> dead() == 2);
    refused.clear();

    assertThat(letters.preview(Selection.all().destination("kafka:other")).count()).isZero();
    letters.redrive(Selection.all().ids(List.of(wanted)), Act.by("ann").evenBeyondHorizon());

    await().until(() -> broker.count() == 1);
    assertThat(broker.kept().get(0).id()).isEqualTo(wanted);
    assertThat(dead()).isEqualTo(1);
  }

  @Test
  void whatIsDiscardedIsLeftAloneUntilItIsRestored() throws Exception {
    refusedMessage("k");
    start(false);
    await().until(() -> dead() == 1);
    refused.clear();

    assertThat(letters.discard(Selection.all(), Act.by("ann"))).isEqualTo(1);
    assertThat(letters.list(Selection.all())).isEmpty();
    assertThat(letters.list(Selection.all().discardedToo())).hasSize(1);
    assertThat(letters.redrive(Selection.all(), Act.by("ann").evenBeyondHorizon())).isZero();
    assertThat(letters.restore(Selection.all(), Act.by("bob"))).isEqualTo(1);
    letters.redrive(Selection.all(), Act.by("bob").evenBeyondHorizon());

    await().until(() -> broker.count() == 1);
    assertThat(letters.audit(10))
        .extracting(AuditLine::action)
        .containsExactly("redrive", "restore", "discard");
  }

  @Test
  void aRedriveBeyondTheDedupHorizonNeedsTheOperatorsWord() throws Exception {
    UUID old = UUID.fromString("01900000-0000-7000-8000-000000000001");
    database.execute(
        "insert into twinbox.outbox_dead_letter (lane, position, id, created_at, destination, type,"
            + " reason, attempts, first_failed_at) values (0, 1, '%s', now(), 'kafka:test', 't',"
                .formatted(old)
            + " 'nacked', 12, now())");
    start(false);

    assertThatThrownBy(() -> letters.redrive(Selection.all(), Act.by("ann")))
        .isInstanceOf(BeyondHorizonException.class)
        .hasMessageContaining("1 of 1 messages")
        .hasMessageContaining("PT168H");
    assertThat(dead()).isEqualTo(1);
    letters.redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());

    await().until(() -> broker.count() == 1);
  }

  @Test
  void aRedriveFreesABlockedKeyInOrder() throws Exception {
    UUID culprit = refusedMessage("k");
    start(true);
    await().until(() -> dead() == 1);
    UUID second = database.commitOne(0, "k");
    UUID third = database.commitOne(0, "k");
    await().until(() -> waiting() == 2);
    assertThat(letters.blockedKeys(10))
        .extracting(BlockedKey::key, BlockedKey::reason, BlockedKey::waiting)
        .containsExactly(org.assertj.core.groups.Tuple.tuple("k", "too-large", 2L));
    refused.clear();

    letters.redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());

    await().until(() -> broker.count() == 3);
    assertThat(broker.kept().stream().map(OutboxRecord::id))
        .containsExactly(culprit, second, third);
    UUID last = database.commitOne(0, "k");
    await().until(() -> broker.count() == 4);
    assertThat(broker.kept().get(3).id()).isEqualTo(last);
    assertThat(letters.blockedKeys(10)).isEmpty();
  }

  @Test
  void aDiscardFreesABlockedKeyInOrder() throws Exception {
    refusedMessage("k");
    start(true);
    await().until(() -> dead() == 1);
    UUID second = database.commitOne(0, "k");
    UUID third = database.commitOne(0, "k");
    await().until(() -> waiting() == 2);

    letters.discard(Selection.all(), Act.by("ann"));

    await().until(() -> broker.count() == 2);
    assertThat(broker.kept().stream().map(OutboxRecord::id)).containsExactly(second, third);
  }

  @Test
  void aRedrivenMessageThatFailsAgainBlocksItsKeyAgain() throws Exception {
    refusedMessage("k");
    start(true);
    await().until(() -> dead() == 1);
    database.commitOne(0, "k");
    await().until(() -> waiting() == 1);
    long number = letters.blockedKeys(1).get(0).number();

    letters.redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());

    await()
        .until(
            () -> letters.blockedKeys(10).stream().anyMatch(blocked -> blocked.number() > number));
    assertThat(broker.count()).isZero();
    assertThat(waiting()).isEqualTo(1);
  }

  @Test
  void aRelaysGrantsAreEnough() throws Exception {
    refusedMessage("k");
    start(false);
    await().until(() -> dead() == 1);
    refused.clear();
    String role = "operator_" + database.database().name();
    database.execute("create role %s login".formatted(role));
    Migrations.defaults().grantRelay(database.dataSource(), role);
    DeadLetterQueue operators = DeadLetterQueue.in(database.database().dataSource(role), "twinbox");

    operators.discard(Selection.all(), Act.by(role));
    operators.restore(Selection.all(), Act.by(role));
    operators.redrive(Selection.all(), Act.by(role).evenBeyondHorizon());

    await().until(() -> broker.count() == 1);
    assertThat(operators.audit(5)).hasSize(3);
  }

  private UUID refusedMessage(String key) throws SQLException {
    UUID id;
    try (var producer = database.begin()) {
      id = database.insert(producer, 0, key, new byte[] {1, 2, 3});
      refused.add(id);
      producer.commit();
    }
    return id;
  }

  private void start(boolean blockKeys) {
    relays.add(
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .settings(
                DrainSettings.DEFAULTS
                    .withLease(Duration.ofSeconds(2))
                    .withRetry(RetryPolicy.DEFAULTS.withBlockKeyOnDeadLetter(blockKeys)))
            .build()
            .start());
  }

  private long dead() throws SQLException {
    return database.number("select count(*) from twinbox.outbox_dead_letter");
  }

  private long waiting() throws SQLException {
    return database.number("select count(*) from twinbox.outbox_parked");
  }
}
