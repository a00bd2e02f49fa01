package dev.twinbox.relay.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.status.Verdict.Cause;
import dev.twinbox.relay.status.Verdict.Level;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.PGConnection;

/** Each state of the tables has its verdict, and a cause that says what to do next. */
@Tag("essential")
class VerdictTest {
  private static final String RELAY =
      "insert into twinbox.outbox_relay (relay, alive_until, brokers) values ('r1',"
          + " clock_timestamp() + interval '1 hour', '{kafka}')";
  private static final String WAITING =
      "insert into twinbox.outbox (lane, id, created_at, destination, type) select mod(n, 4),"
          + " gen_random_uuid(), clock_timestamp() - interval '4 minutes', 'kafka:orders', 'test'"
          + " from generate_series(1, %s) n";
  private static final String DEAD =
      "insert into twinbox.outbox_dead_letter (lane, position, id, created_at, destination, key,"
          + " type, reason, attempts, first_failed_at, blocks_key) values (0, 1, gen_random_uuid(),"
          + " clock_timestamp(), 'kafka:orders', 'k', 'test', 'too-large', 1, clock_timestamp(),"
          + " %s)";

  private static OutboxDatabase database;

  @BeforeAll
  static void open() {
    TestDatabase fresh = TestPostgres.shared().createDatabase();
    database = new OutboxDatabase(fresh, 100, 4);
  }

  @AfterAll
  static void close() {
    database.close();
  }

  @BeforeEach
  void empty() throws SQLException {
    database.execute(
        "truncate twinbox.outbox, twinbox.outbox_relay, twinbox.outbox_sample,"
            + " twinbox.outbox_dead_letter, twinbox.outbox_parked, twinbox.outbox_scheduled;"
            + " select setval('twinbox.outbox_position', 1, false); update twinbox.outbox_cluster"
            + " set doubted_at = null");
  }

  record Case(String name, List<String> state, Level level, String code, String sentence) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** What the newest sample of the relay says, and one of a minute ago. */
  private static String samples(int published, String failing) {
    return "insert into twinbox.outbox_sample (taken_at, relay, span_ms, position, destinations,"
        + " published, dead_lettered, expired, troubled, reasons, troubled_ms, parked) values"
        + " (clock_timestamp() - interval '30 s', 'r1', 5000, 0, '{}', '{}', '{}', '{}', '{}',"
        + " '{}', '{}', '{}'), (clock_timestamp(), 'r1', 30000, 0, '{kafka:orders}', '{"
        + published
        + "}', '{0}', '{0}', "
        + failing
        + ")";
  }

  private static final String NOTHING_FAILS = "'{}', '{}', '{}', '{}'";

  static Stream<Case> cases() {
    return Stream.of(
        new Case("a fresh database", List.of(), Level.OK, "", ""),
        new Case("a relay and nothing to do", List.of(RELAY), Level.OK, "", ""),
        new Case(
            "no relay, and messages wait",
            List.of(WAITING.formatted(12)),
            Level.CRITICAL,
            "no-relay",
            "No relay is alive; 12 waiting, oldest 4 min"),
        new Case(
            "no relay, and nothing waits",
            List.of("select nextval('twinbox.outbox_position')"),
            Level.WARNING,
            "no-relay",
            "No relay is alive; nothing waits yet"),
        new Case(
            "a broker that cannot be reached",
            List.of(
                RELAY,
                WAITING.formatted(12),
                samples(0, "'{kafka:orders}', '{unreachable}', '{240000}', '{f}'")),
            Level.CRITICAL,
            "destination-failing",
            "kafka unreachable for 4 min; 12 waiting, oldest 4 min"),
        new Case(
            "a destination that began to fail just now",
            List.of(
                RELAY,
                WAITING.formatted(12),
                samples(0, "'{kafka:orders}', '{unsafe}', '{3000}', '{t}'")),
            Level.WARNING,
            "destination-failing",
            "kafka:orders is unsafe and has been held back for 3"),
        new Case(
            "what failed formerly, and nothing waits for it",
            List.of(RELAY, samples(0, "'{kafka:orders}', '{missing-destination}', '{1}', '{f}'")),
            Level.OK,
            "",
            ""),
        new Case(
            "messages wait and none goes out",
            List.of(RELAY, WAITING.formatted(12), samples(0, NOTHING_FAILS)),
            Level.CRITICAL,
            "standing-still",
            "kafka:orders: 12 waiting, oldest 4 min, and none goes out"),
        new Case(
            "a pile that is drained",
            List.of(RELAY, WAITING.formatted(150), samples(3_500, NOTHING_FAILS)),
            Level.WARNING,
            "behind",
            "kafka:orders: 150 waiting, oldest 4 min, drained in "),
        new Case(
            "a pile that grows",
            List.of(
                RELAY,
                WAITING.formatted(300).replace("4 minutes", "90 seconds"),
                "insert into twinbox.outbox (lane, id, destination, type) select 1,"
                    + " gen_random_uuid(), 'kafka:orders', 'test' from generate_series(1, 40)",
                samples(35, NOTHING_FAILS)),
            Level.CRITICAL,
            "growing",
            ", and it grows by "),
        new Case(
            "a blocked key",
            List.of(RELAY, DEAD.formatted("true")),
            Level.WARNING,
            "blocked-keys",
            "1 key waits behind a dead letter"),
        new Case(
            "a dead letter",
            List.of(RELAY, DEAD.formatted("false")),
            Level.WARNING,
            "dead-letters",
            "1 dead letter, 1 of the last hour; most: kafka:orders too-large"),
        new Case(
            "a dead letter that was discarded",
            List.of(
                RELAY,
                DEAD.formatted("false"),
                "update twinbox.outbox_dead_letter set discarded_at = clock_timestamp()"),
            Level.OK,
            "",
            ""),
        new Case(
            "a full ring",
            List.of(RELAY, WAITING.formatted(400)),
            Level.CRITICAL,
            "ring-full",
            "4 of the outbox's 4 leaves hold rows and are not emptied; the oldest message is in"
                + " lane "),
        new Case(
            "scheduled messages that nobody promotes",
            List.of(
                RELAY,
                "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination,"
                    + " type) values (clock_timestamp() - interval '5 minutes',"
                    + " gen_random_uuid(), 'kafka', 1, 'kafka:orders', 'test')"),
            Level.CRITICAL,
            "scheduled-overdue",
            "A scheduled message has been due for 5 min"),
        new Case(
            "a clock that is off",
            List.of(RELAY, "update twinbox.outbox_relay set clock_ahead_ms = -60000"),
            Level.WARNING,
            "clock-skew",
            "The clock of relay r1 is 60 s behind the database's"),
        new Case(
            "a broker that no relay serves",
            List.of(
                RELAY,
                WAITING
                    .formatted(8)
                    .replace("mod(n, 4)", "4 + mod(n, 4)")
                    .replace("kafka:", "rabbitmq:"),
                "update twinbox.outbox_lane_log set written_at = clock_timestamp() - interval '2"
                    + " minutes' where lane >= 4"),
            Level.CRITICAL,
            "lane-without-relay",
            "No relay serves rabbitmq; 8 waiting, oldest 4 min"),
        new Case(
            "a restored database",
            List.of(RELAY, "update twinbox.outbox_cluster set doubted_at = clock_timestamp()"),
            Level.CRITICAL,
            "restored",
            "The database was restored or moved"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theVerdictNamesTheCause(Case expected) throws SQLException {
    for (String sql : expected.state()) {
      database.execute(sql);
    }
    Status status = StatusReader.in(database.dataSource(), "twinbox").read();

    Verdict verdict = Verdict.of(status, Thresholds.DEFAULTS);

    assertThat(verdict.level()).as("%s", verdict).isEqualTo(expected.level());
    if (expected.level() == Level.OK) {
      assertThat(verdict.causes()).isEmpty();
    } else {
      assertThat(verdict.causes())
          .filteredOn(cause -> cause.code().equals(expected.code()))
          .singleElement()
          .satisfies(cause -> assertThat(cause.sentence()).contains(expected.sentence()))
          .extracting(Cause::level)
          .isEqualTo(expected.level());
    }
    assertThat(verdict.causes()).isSortedAccordingTo((a, b) -> b.level().compareTo(a.level()));
  }

  @Test
  void anOpenTransactionThatHasEnqueuedIsNamedByItsProcess() throws SQLException {
    database.execute(RELAY);
    try (Connection producer = database.begin()) {
      producer.setClientInfo("ApplicationName", "shop");
      database.insert(producer, 0, "k");
      int pid = producer.unwrap(PGConnection.class).getBackendPID();
      Status status = StatusReader.in(database.dataSource(), "twinbox").read();

      assertThat(status.transactions()).anyMatch(t -> Objects.equals(t.pid(), pid) && t.enqueued());
      assertThat(status.destinations()).as("it is not committed").isEmpty();
      await()
          .untilAsserted(
              () ->
                  assertThat(
                          Verdict.of(
                                  StatusReader.in(database.dataSource(), "twinbox").read(),
                                  thresholds(Duration.ZERO))
                              .causes())
                      .filteredOn(cause -> cause.code().equals("open-transaction"))
                      .singleElement()
                      .extracting(Cause::sentence)
                      .asString()
                      .contains("Transaction of pid " + pid + " (shop) has enqueued"));
    }
  }

  private static Thresholds thresholds(Duration maxTransaction) {
    Thresholds defaults = Thresholds.DEFAULTS;
    return new Thresholds(
        defaults.maxAge(),
        defaults.maxWaiting(),
        defaults.maxDeadLetters(),
        defaults.maxRingFill(),
        defaults.maxUnowned(),
        defaults.maxOverdue(),
        maxTransaction,
        defaults.maxSkew(),
        defaults.maxLag());
  }
}
