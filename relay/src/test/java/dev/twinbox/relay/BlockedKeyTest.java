package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicies;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.drain.RetryPolicy.AfterGrace;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * With the option on, nothing of a key goes out behind a dead letter of it, whatever the reason.
 */
class BlockedKeyTest {
  private static final Act BY_ANN = Act.by("ann").evenBeyondHorizon();
  private static final String PLACE = "kafka:place";
  private static final String LENIENT = "kafka:lenient";

  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private final DeadLetterQueue letters = DeadLetterQueue.in(database.dataSource(), "twinbox");
  private final MemoryBroker broker = new MemoryBroker();
  private final Set<UUID> culprits = ConcurrentHashMap.newKeySet();
  private final List<Relay> relays = new ArrayList<>();
  private volatile Outcome trouble = new Outcome.Rejected(Reason.TOO_LARGE, "2 MiB");

  BlockedKeyTest() {
    broker.troubledBy(
        message -> culprits.contains(message.id()) ? Optional.of(trouble) : Optional.empty());
  }

  @AfterEach
  void close() {
    relays.forEach(Relay::close);
    broker.close();
    database.close();
  }

  @ParameterizedTest
  @CsvSource({
    "rejected, 2500",
    "rejected, 2",
    "expired, 2500",
    "expired, 2",
    "failed, 2500",
    "failed, 2",
    "unroutable, 2500",
    "unroutable, 2",
    "malformed, 2500",
    "malformed, 2"
  })
  void whatFollowsADeadLetterWaitsUntilItIsRedriven(String reason, int pageRows) throws Exception {
    List<UUID> key = new ArrayList<>();
    List<UUID> others = new ArrayList<>();
    try (Connection producer = database.begin()) {
      others.add(database.insert(producer, 0, PLACE, "other", new byte[0]));
      key.add(culprit(producer, reason));
      for (int i = 0; i < 4; i++) {
        key.add(database.insert(producer, 0, i == 1 ? LENIENT : PLACE, "k", new byte[0]));
        others.add(database.insert(producer, 0, PLACE, "other", new byte[0]));
      }
      producer.commit();
    }
    start(pageRows);
    await().until(() -> dead() == 1);
    key.add(database.commitOne(0, LENIENT, "k"));
    await().until(() -> waiting() == 5);
    relays.get(0).close();
    start(pageRows);
    key.add(database.commitOne(0, PLACE, "k"));
    await().until(() -> waiting() == 6);
    await().until(() -> ids("other").size() >= others.size());
    assertThat(ids("k")).isEmpty();
    assertThat(ids("other")).containsSubsequence(others);

    heal();
    letters.redrive(Selection.all(), BY_ANN);

    await().until(() -> ids("k").size() == key.size());
    assertThat(ids("k")).containsExactlyElementsOf(key);
    await().until(() -> waiting() == 0);
    assertThat(dead()).isZero();
  }

  /** A header without a value is no header; the redrive of it needs a hand first. */
  private UUID culprit(Connection producer, String reason) throws SQLException {
    UUID id;
    switch (reason) {
      case "expired" -> {
        id = UUID.randomUUID();
        insert(producer, "expires_at", "clock_timestamp() - interval '1 second'", id);
      }
      case "malformed" -> {
        id = UUID.randomUUID();
        insert(producer, "headers", "array['name']", id);
      }
      default -> {
        id = database.insert(producer, 0, PLACE, "k", new byte[0]);
        culprits.add(id);
        if (reason.equals("failed")) {
          trouble = new Outcome.Failed(Reason.MALFORMED, "odd");
        } else if (reason.equals("unroutable")) {
          trouble = new Outcome.Unavailable(Reason.UNROUTABLE, "no queue");
        }
      }
    }
    return id;
  }

  private static void insert(Connection producer, String column, String value, UUID id)
      throws SQLException {
    try (Statement statement = producer.createStatement()) {
      statement.execute(
          "insert into twinbox.outbox (lane, id, destination, key, type, %s) values (0, '%s', '%s', 'k',"
                  .formatted(column, id, PLACE)
              + " 'test', %s)".formatted(value));
    }
  }

  private void heal() throws SQLException {
    culprits.clear();
    database.execute("update twinbox.outbox_dead_letter set headers = null");
  }

  @Test
  void whatFollowsADeadLetterGoesInItsOrderWhenThatIsDiscarded() throws Exception {
    List<UUID> key = commit("k", 5);
    culprits.add(key.remove(0));
    start(2_500);
    await().until(() -> dead() == 1 && waiting() == 4);

    letters.discard(Selection.all(), Act.by("ann"));

    await().until(() -> ids("k").size() == 4);
    assertThat(ids("k")).containsExactlyElementsOf(key);
  }

  /** Of the parked ones, several of a key are handed over together. */
  @ParameterizedTest
  @ValueSource(strings = {"rejected", "expired"})
  void whatIsParkedWaitsBehindADeadLetterToo(String reason) throws Exception {
    Outcome down = new Outcome.Unavailable(Reason.NOT_AUTHORISED, "not yet");
    broker.troubledBy(
        message -> message.destination().equals(PLACE) ? Optional.of(down) : Optional.empty());
    List<UUID> key = commit("k", 5);
    UUID other = database.commitOne(0, LENIENT, "other");
    start(2_500);
    await().until(() -> waiting() == 5 && ids("other").contains(other));
    if (reason.equals("expired")) {
      database.execute(
          "update twinbox.outbox_parked set expires_at = now() where id = '%s'"
              .formatted(key.get(0)));
    } else {
      culprits.add(key.get(0));
    }
    broker.troubledBy(
        message -> culprits.contains(message.id()) ? Optional.of(trouble) : Optional.empty());

    await().until(() -> dead() == 1);
    key.add(database.commitOne(0, PLACE, "k"));
    await().until(() -> waiting() == 5);
    await().during(Duration.ofMillis(500)).until(() -> ids("k").isEmpty());

    culprits.clear();
    letters.redrive(Selection.all(), BY_ANN);
    await().until(() -> ids("k").size() == 6);
    assertThat(ids("k")).containsExactlyElementsOf(key);
  }

  @Test
  void aSecondDeadLetterOfAKeyThatIsRedrivenFirstWaitsForTheFirst() throws Exception {
    List<UUID> key = commit("k", 4);
    culprits.add(key.get(0));
    start(2_500);
    await().until(() -> dead() == 1 && waiting() == 3);
    // As if the second had expired where it was.
    database.execute(
        "with gone as (delete from twinbox.outbox_parked where id = '%s' returning *) insert into"
                .formatted(key.get(1))
            + " twinbox.outbox_dead_letter (lane, position, id, created_at, destination, key, type,"
            + " reason, attempts, first_failed_at, blocks_key) select lane, position, id,"
            + " created_at, destination, key, type, 'expired', 1, now(), true from gone");
    culprits.clear();

    letters.redrive(Selection.all().ids(List.of(key.get(1))), BY_ANN);
    await().during(Duration.ofSeconds(2)).until(() -> ids("k").isEmpty());
    letters.redrive(Selection.all(), BY_ANN);

    await().until(() -> ids("k").size() == 4);
    assertThat(ids("k")).containsExactlyElementsOf(key);
  }

  /** Its followers' destination does not block; what decides is the dead letter's own. */
  @Test
  void aDeadLetterWhoseDestinationDoesNotBlockLetsItsFollowersGo() throws Exception {
    UUID culprit = database.commitOne(0, LENIENT, "k");
    culprits.add(culprit);
    List<UUID> key = commit("k", 3);
    start(2_500);

    await().until(() -> ids("k").size() == 3);

    assertThat(ids("k")).containsExactlyElementsOf(key);
    assertThat(dead()).isEqualTo(1);
  }

  @Test
  void manyKeysAreKeptInOrderWhileEveryTenthMessageIsRejected() throws Exception {
    List<List<UUID>> expected = new ArrayList<>();
    for (int k = 0; k < 20; k++) {
      expected.add(new ArrayList<>());
    }
    for (int round = 0; round < 20; round++) {
      try (Connection producer = database.begin()) {
        for (int k = 0; k < 20; k++) {
          UUID id = database.insert(producer, 0, PLACE, "k" + k, new byte[0]);
          expected.get(k).add(id);
          if (k % 10 == 3 && round == 5) {
            culprits.add(id);
          }
        }
        producer.commit();
      }
    }
    start(7);
    await().until(() -> dead() == 2 && waiting() == 2 * 14 && broker.count() >= 18 * 20 + 2 * 5);
    culprits.clear();

    letters.redrive(Selection.all(), BY_ANN);

    await().until(() -> broker.count() >= 400);
    for (int k = 0; k < 20; k++) {
      assertThat(ids("k" + k)).as("k" + k).containsExactlyElementsOf(expected.get(k));
    }
  }

  private List<UUID> commit(String key, int count) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    try (Connection producer = database.begin()) {
      for (int i = 0; i < count; i++) {
        ids.add(database.insert(producer, 0, PLACE, key, new byte[0]));
      }
      producer.commit();
    }
    return ids;
  }

  private void start(int pageRows) {
    RetryPolicy lenient =
        RetryPolicy.DEFAULTS
            .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
            .withMaxAttempts(3)
            .withParkAfter(Duration.ofMillis(100))
            .withGracePeriod(Duration.ofMillis(300), AfterGrace.DEAD_LETTER);
    relays.add(
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .settings(
                DrainSettings.DEFAULTS
                    .withLease(Duration.ofSeconds(2))
                    .withPages(pageRows, 4 << 20)
                    .withRetry(
                        RetryPolicies.all(lenient.withBlockKeyOnDeadLetter(true))
                            .with(LENIENT, lenient)))
            .build()
            .start());
  }

  private List<UUID> ids(String key) {
    return broker.kept().stream()
        .filter(message -> key.equals(message.key()))
        .map(OutboxRecord::id)
        .toList();
  }

  private long dead() throws SQLException {
    return database.number("select count(*) from twinbox.outbox_dead_letter");
  }

  private long waiting() throws SQLException {
    return database.number("select count(*) from twinbox.outbox_parked");
  }
}
