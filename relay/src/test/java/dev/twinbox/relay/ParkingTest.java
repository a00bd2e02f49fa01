package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.drain.RetryPolicy.AfterGrace;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A message that cannot go out does not keep those of other destinations and keys waiting. */
class ParkingTest {
  private static final RetryPolicy RETRY =
      RetryPolicy.DEFAULTS
          .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
          .withMaxAttempts(3)
          .withGracePeriod(Duration.ofMinutes(5), AfterGrace.DEAD_LETTER)
          .withParkAfter(Duration.ofMillis(100));
  private static final String BROKEN = "kafka:broken";
  private static final String WELL = "kafka:well";

  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private final MemoryBroker broker = MemoryBroker.parallel();
  private final Set<String> broken = ConcurrentHashMap.newKeySet();
  private final Set<UUID> failing = ConcurrentHashMap.newKeySet();
  private final Set<UUID> nacked = ConcurrentHashMap.newKeySet();
  private final List<Relay> relays = new ArrayList<>();

  ParkingTest() {
    broker.troubledBy(this::outcome);
  }

  private Optional<Outcome> outcome(OutboxRecord message) {
    if (broken.contains(message.destination())) {
      return Optional.of(new Outcome.Unavailable(Outcome.Reason.MISSING_DESTINATION, "no topic"));
    }
    if (failing.contains(message.id())) {
      return Optional.of(new Outcome.Failed(Outcome.Reason.MALFORMED, "odd"));
    }
    return nacked.contains(message.id())
        ? Optional.of(new Outcome.Failed(Outcome.Reason.NACKED, "nack"))
        : Optional.empty();
  }

  @AfterEach
  void close() {
    relays.forEach(Relay::close);
    broker.close();
    database.close();
  }

  @Test
  void aBrokenDestinationParksItsOwnMessagesAndItsLaneGoesOn() throws SQLException {
    broken.add(BROKEN);
    List<UUID> waiting = new ArrayList<>();
    List<UUID> free = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      waiting.add(database.commitOne(0, BROKEN, "b" + i % 3));
      free.add(database.commitOne(0, WELL, "w" + i % 3));
    }
    start(RETRY);

    await().until(() -> broker.count() == 30);
    UUID late = database.commitOne(0, BROKEN, "b0");
    free.add(database.commitOne(0, WELL, "w0"));
    await().until(() -> broker.count() == 31);

    assertThat(ids()).containsExactlyElementsOf(free);
    await().until(() -> parked() == 31);
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_parked where reason in ('missing-destination',"
                    + " 'behind-key')"))
        .isEqualTo(31);
    assertThat(database.number("select sum(attempts) from twinbox.outbox_parked")).isZero();

    broken.clear();
    await().until(() -> broker.count() == 62);

    waiting.add(late);
    assertThat(ids().subList(31, 62)).containsExactlyElementsOf(waiting);
    await().until(() -> parked() == 0);
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
  }

  @Test
  void theOrderOfAKeyIsKeptAcrossDestinationsWhileOneIsBroken() throws SQLException {
    broken.add(BROKEN);
    List<UUID> ordered = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      ordered.add(database.commitOne(0, i % 3 == 1 ? BROKEN : WELL, "k"));
    }
    database.commitOne(0, WELL, "other");
    start(RETRY);
    await().until(() -> broker.count() == 2);
    await().until(() -> parked() == 9);

    broken.clear();
    await().until(() -> broker.count() == 11);

    assertThat(idsOf("k")).containsExactlyElementsOf(ordered);
  }

  /** Parked, it would come first when its destination is well and the other is still on its way. */
  @Test
  void whatIsOnItsWayIsNotOvertakenByAFollowerForABrokenDestination() throws SQLException {
    broken.add(BROKEN);
    UUID waiting = database.commitOne(0, BROKEN, "x");
    database.commitOne(0, WELL, "y");
    start(RETRY);
    await().until(() -> parked() == 1);
    CountDownLatch answer = new CountDownLatch(1);
    CountDownLatch asked = new CountDownLatch(1);
    broker.troubledBy(
        message -> {
          if (message.destination().equals(WELL) && "k".equals(message.key())) {
            asked.countDown();
            broken.clear();
            awaitQuietly(answer);
          }
          return outcome(message);
        });

    UUID first;
    UUID follower;
    try (Connection producer = database.begin()) {
      first = database.insert(producer, 0, WELL, "k", new byte[0]);
      follower = database.insert(producer, 0, BROKEN, "k", new byte[0]);
      producer.commit();
    }
    awaitQuietly(asked);
    await().until(() -> ids().contains(waiting));
    await().during(Duration.ofSeconds(1)).until(() -> idsOf("k").isEmpty());
    answer.countDown();

    await().until(() -> idsOf("k").size() == 2);
    assertThat(idsOf("k")).containsExactly(first, follower);
  }

  @Test
  void aMessageThatIsRefusedBesideOthersThatAreTakenBecomesADeadLetter() throws Exception {
    UUID culprit = database.commitOne(0, WELL, "k");
    UUID follower = database.commitOne(0, WELL, "k");
    nacked.add(culprit);
    List<UUID> others = new ArrayList<>();
    start(RETRY);

    await()
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              others.add(database.commitOne(0, WELL, null));
              return database.number("select count(*) from twinbox.outbox_dead_letter") == 1;
            });

    await().until(() -> broker.count() == others.size() + 1);
    assertThat(ids()).contains(follower).containsAll(others).doesNotContain(culprit);
    assertThat(database.number("select attempts from twinbox.outbox_dead_letter")).isEqualTo(3);
  }

  @Test
  void severalRefusedOnesDoNotHoldTheirDestinationUp() throws Exception {
    for (int i = 0; i < 5; i++) {
      nacked.add(database.commitOne(0, WELL, "bad" + i));
    }
    start(RETRY);
    await().until(() -> parked() == 5);
    await().until(() -> !relays.get(0).health().up());

    for (int i = 0; i < 30; i++) {
      database.commitOne(0, WELL, "good" + i % 3);
    }

    await().until(() -> broker.count() == 30);
    nacked.clear();
    await().until(() -> broker.count() == 35);
    await().until(() -> relays.get(0).health().up());
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aLaneWithNothingElseToDoWritesNothingWhileItsBrokerIsDown() throws SQLException {
    broker.troubledBy(
        message ->
            Optional.of(new Outcome.Unavailable(Outcome.Reason.UNREACHABLE, "connection refused")));
    for (int i = 0; i < 20; i++) {
      database.commitOne(0, i % 2 == 0 ? BROKEN : WELL, "k" + i);
    }
    start(RETRY);

    await().during(Duration.ofSeconds(1)).atMost(Duration.ofSeconds(20)).until(() -> parked() == 0);
    broker.troubledBy(message -> Optional.empty());
    await().until(() -> broker.count() == 20);
  }

  @Test
  void aBrokenDestinationThatIsAloneInItsLaneParksNothing() throws SQLException {
    broken.add(BROKEN);
    for (int i = 0; i < 20; i++) {
      database.commitOne(0, BROKEN, "k" + i);
    }
    start(RETRY);

    await().during(Duration.ofSeconds(1)).atMost(Duration.ofSeconds(20)).until(() -> parked() == 0);
    UUID other = database.commitOne(0, WELL, "w");
    await().until(() -> ids().contains(other));
    assertThat(parked()).isEqualTo(20);
  }

  @Test
  void aFailedMessageWaitsBesideItsLaneWithItsFollowersBehindIt() throws SQLException {
    UUID culprit = database.commitOne(0, WELL, "k");
    failing.add(culprit);
    UUID follower = database.commitOne(0, "kafka:third", "k");
    database.commitOne(0, WELL, "neighbour");
    UUID other = database.commitOne(0, "kafka:third", "other");
    start(RETRY.withMaxAttempts(1_000));

    await().until(() -> ids().contains(other));
    await().until(() -> parked() == 2);
    assertThat(ids()).doesNotContain(culprit, follower);
    await().until(() -> database.number("select max(attempts) from twinbox.outbox_parked") > 3);

    failing.clear();
    await().until(() -> broker.count() == 4);

    assertThat(idsOf("k")).containsExactly(culprit, follower);
    await().until(() -> parked() == 0);
  }

  @Test
  void aMessageGivenUpAfterItsAttemptsLetsItsFollowersGo() throws SQLException {
    List<UUID> ordered = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ordered.add(database.commitOne(0, WELL, "k"));
    }
    UUID culprit = ordered.remove(1);
    failing.add(culprit);
    database.commitOne(0, WELL, "neighbour");
    start(RETRY);

    await().until(() -> broker.count() == 5);

    assertThat(idsOf("k")).containsExactlyElementsOf(ordered);
    assertThat(
            database.number(
                "select attempts from twinbox.outbox_dead_letter where id = '%s'"
                    .formatted(culprit)))
        .isEqualTo(3);
    await().until(() -> parked() == 0);
  }

  @Test
  void aBlockedKeyHoldsItsFollowersAndNothingElse() throws SQLException {
    UUID culprit = database.commitOne(0, WELL, "k");
    failing.add(culprit);
    database.commitOne(0, WELL, "k");
    UUID other = database.commitOne(0, WELL, "other");
    start(RETRY.withBlockKeyOnDeadLetter(true));
    await()
        .until(
            () ->
                database.number("select count(*) from twinbox.outbox_dead_letter where blocks_key")
                    == 1);
    database.commitOne(0, WELL, "k");

    await().until(() -> parked() == 2);

    assertThat(ids()).containsExactly(other);
    assertThat(database.number("select count(*) from twinbox.outbox_parked where blocked"))
        .isEqualTo(2);
  }

  @Test
  void aFollowerWhoseMessageWasTakenOutByHandGoesOn() throws SQLException {
    failing.add(database.commitOne(0, WELL, "k"));
    UUID second = database.commitOne(0, WELL, "k");
    database.commitOne(0, WELL, "neighbour");
    start(RETRY.withMaxAttempts(1_000_000));
    await().until(() -> parked() == 2);
    await()
        .until(
            () -> database.number("select count(*) from twinbox.outbox_parked where blocked") == 1);

    database.execute("delete from twinbox.outbox_parked where attempts > 0");

    await().until(() -> ids().contains(second));
  }

  @Test
  void aParkedMessageThatExpiresIsADeadLetterAndFreesItsKey() throws SQLException {
    broken.add(BROKEN);
    database.execute(
        "insert into twinbox.outbox (lane, id, destination, key, type, expires_at) values (0,"
            + " gen_random_uuid(), 'kafka:broken', 'k', 'test', clock_timestamp() + interval '1"
            + " hour')");
    UUID follower = database.commitOne(0, WELL, "k");
    start(RETRY);
    await().until(() -> parked() == 2);
    database.execute(
        "update twinbox.outbox_parked set expires_at = clock_timestamp() where destination ="
            + " 'kafka:broken'");

    await().until(() -> ids().contains(follower));

    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_dead_letter where reason = 'expired'"))
        .isEqualTo(1);
  }

  @Test
  void aTakeoverPublishesWhatIsParkedInOrderAndOnce() throws SQLException {
    broken.add(BROKEN);
    List<UUID> ordered = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      ordered.add(database.commitOne(0, BROKEN, "k"));
      database.commitOne(0, WELL, null);
    }
    Relay first = start(RETRY);
    await().until(() -> broker.count() == 40);
    await().until(() -> parked() == 40);
    first.close();
    // As if the relay had died before it noted how far it was.
    database.execute(
        "insert into twinbox.outbox_lane_log select lane, seq + 1, 'test', null, null, epoch, null,"
            + " window_number, done, target, floor, next_floor, ceiling, 0, '{}' from"
            + " twinbox.outbox_lane_state where lane = 0 and target is not null");
    broken.clear();
    start(RETRY);

    await().until(() -> parked() == 0);

    assertThat(idsOf("k")).containsExactlyElementsOf(ordered);
  }

  @Test
  void whatNobodyTakesBecomesDeadLettersAfterTheGracePeriodWhileOthersGoOn() throws SQLException {
    broken.add(BROKEN);
    for (int i = 0; i < 25; i++) {
      database.commitOne(0, BROKEN, "b" + i);
    }
    UUID other = database.commitOne(0, WELL, "w");
    start(RETRY.withGracePeriod(Duration.ofMillis(600), AfterGrace.DEAD_LETTER));

    await().until(() -> broker.count() == 1);
    await()
        .until(
            () ->
                database.number(
                        "select count(*) from twinbox.outbox_dead_letter where reason ="
                            + " 'missing-destination' and attempts = 0")
                    == 25);

    assertThat(ids()).containsExactly(other);
    assertThat(parked()).isZero();
  }

  @Test
  void afterTheGracePeriodMessagesGoOnWaitingWhereThePolicySaysSo() throws SQLException {
    broken.add(BROKEN);
    database.commitOne(0, BROKEN, "b");
    database.commitOne(0, WELL, "w");
    start(RETRY.withGracePeriod(Duration.ZERO, AfterGrace.WAIT));
    await().until(() -> broker.count() == 1);

    await()
        .during(Duration.ofSeconds(1))
        .atMost(Duration.ofSeconds(20))
        .until(() -> database.number("select count(*) from twinbox.outbox_dead_letter") == 0);
    broken.clear();

    await().until(() -> broker.count() == 2);
  }

  private Relay start(RetryPolicy retry) {
    Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .settings(settings(retry))
            .build()
            .start();
    relays.add(relay);
    return relay;
  }

  private static DrainSettings settings(RetryPolicy retry) {
    return DrainSettings.DEFAULTS.withLease(Duration.ofSeconds(2)).withRetry(retry);
  }

  private long parked() throws SQLException {
    return database.number("select count(*) from twinbox.outbox_parked");
  }

  private List<UUID> ids() {
    return broker.kept().stream().map(OutboxRecord::id).toList();
  }

  private List<UUID> idsOf(String key) {
    return broker.kept().stream()
        .filter(message -> key.equals(message.key()))
        .map(OutboxRecord::id)
        .toList();
  }
}
