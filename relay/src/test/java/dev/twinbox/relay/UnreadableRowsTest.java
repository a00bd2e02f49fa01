package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.scheduled.ScheduledMessages;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAsideMessage;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever a producer's grant lets it write, no row stands in the way of others. */
class UnreadableRowsTest {
  private static final Duration LONG_TIME = Duration.ofMinutes(1);
  private static final String LONG = "repeat(md5(random()::text) || md5(random()::text), 100)";

  /** More than a relay with this memory loads of one message. */
  private static final long GIANT =
      Math.max(16L << 20, Runtime.getRuntime().maxMemory() / 16) + 1_000_000;

  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private final DeadLetterQueue letters = DeadLetterQueue.in(database.dataSource(), "twinbox");
  private final MemoryBroker broker = new MemoryBroker();
  private final List<Relay> relays = new ArrayList<>();

  @AfterEach
  void close() {
    relays.forEach(Relay::close);
    broker.close();
    database.close();
  }

  /** What no relay can read, or load: a column and its value. */
  private static final List<Column> UNREADABLE =
      List.of(
          new Column("headers", "'{{a,b},{c,d}}'::text[]"),
          new Column("headers", "'{{{a,b}}}'::text[]"),
          new Column("headers", "'{a}'::text[]"),
          new Column("headers", "'{a,b,c}'::text[]"),
          new Column("headers", "'{a,NULL}'::text[]"),
          new Column("headers", "'{NULL,b}'::text[]"),
          new Column("headers", "'[0:2]={a,b,c}'::text[]"),
          new Column("key", "long()"),
          new Column("destination", "concat('kafka:', long())"),
          new Column("expires_at", "'20000-01-01'::timestamptz"),
          new Column("expires_at", "'294276-12-31 23:59:59'::timestamptz"),
          new Column("payload", "convert_to(giant(), 'UTF8')"),
          new Column("headers", "array['a', giant()]"),
          new Column("content_type", "giant()"),
          new Column("type", "giant()"),
          new Column("key", "giant()"),
          new Column("destination", "giant()"));

  private record Column(String name, String value) {
    boolean isGiant() {
      return value.contains("giant");
    }
  }

  @Test
  void rowsThatCannotBeReadAreDeadLettersAndTheirNeighboursGoOn() throws Exception {
    String role = producer();
    List<UUID> neighbours = new ArrayList<>();
    Map<UUID, Column> unreadable = new LinkedHashMap<>();
    for (Column column : UNREADABLE) {
      neighbours.add(database.commitOne(0, "k"));
      unreadable.put(insertAsProducer(role, column), column);
    }
    neighbours.add(database.commitOne(0, "k"));
    start(false);

    await().atMost(LONG_TIME).until(() -> ids().size() >= neighbours.size());

    assertThat(ids()).containsExactlyElementsOf(neighbours);
    await().atMost(LONG_TIME).until(() -> dead() == UNREADABLE.size());
    for (SetAsideMessage letter : letters.list(Selection.all())) {
      Column column = Objects.requireNonNull(unreadable.remove(letter.messageId()));
      assertThat(letter.reason()).as("%s", column).isIn("malformed", "too-large");
      assertThat(letter.error()).contains(column.isGiant() ? "bytes" : column.name());
      assertThat(letters.find(letter.number())).isPresent();
    }
    assertThat(unreadable).isEmpty();
    assertThat(letters.causes(Selection.all())).isNotEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {"headers | '{{a,b},{c,d}}'::text[]", "key | long()", "type | giant()"})
  void oneThatIsRedrivenComesBack(String column, String value) throws Exception {
    insertAsProducer(producer(), new Column(column, value));
    start(false);
    await().atMost(LONG_TIME).until(() -> dead() == 1);

    letters.redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());

    await()
        .atMost(LONG_TIME)
        .until(() -> database.number("select max(number) from twinbox.outbox_dead_letter") == 2);
  }

  /** They are odd, and say clearly what is meant. */
  private static final List<Column> ODD =
      List.of(
          new Column("headers", "'{}'::text[]"),
          new Column("headers", "'[3:4]={a,b}'::text[]"),
          new Column("headers", "array['', '']"),
          new Column("headers", "null"),
          new Column("expires_at", "'infinity'::timestamptz"),
          new Column("payload", "null"),
          new Column("payload", "''::bytea"),
          new Column("key", "''"),
          new Column("type", "''"),
          new Column("content_type", "''"),
          new Column("id", "'00000000-0000-0000-0000-000000000000'::uuid"),
          new Column("id", "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid"));

  @Test
  void rowsThatAreMerelyOddArePublished() throws Exception {
    String role = producer();
    for (Column column : ODD) {
      insertAsProducer(role, column);
    }
    UUID after = database.commitOne(0, "k");
    start(false);

    await().until(() -> ids().size() == ODD.size() + 1);

    assertThat(ids()).endsWith(after);
    assertThat(dead()).isZero();
  }

  @Test
  void rowsThatExpiredLongAgoAreExpired() throws Exception {
    String role = producer();
    List<String> times = List.of("-infinity", "0044-03-15 BC", "4713-01-01 BC", "1969-12-31");
    for (String time : times) {
      insertAsProducer(role, new Column("expires_at", "'" + time + "'::timestamptz"));
    }
    UUID after = database.commitOne(0, "k");
    start(false);

    await().until(() -> ids().contains(after));
    await().until(() -> dead() == times.size());
    assertThat(letters.list(Selection.all()))
        .allSatisfy(letter -> assertThat(letter.reason()).isEqualTo("expired"));
    assertThat(ids()).containsExactly(after);
  }

  @Test
  void aRowThatCannotBeReadBlocksItsKeyWhereThePolicySaysSo() throws Exception {
    insertAsProducer(producer(), new Column("headers", "'{a}'::text[]"));
    database.commitOne(0, "k");
    UUID other = database.commitOne(0, "other");
    start(true);

    await().until(() -> ids().contains(other));
    await().until(() -> number("outbox_parked where blocked") == 1);
    letters.redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());
    await().until(() -> number("outbox_dead_letter where number = 2 and blocks_key") == 1);
    assertThat(ids()).containsExactly(other);
    letters.discard(Selection.all(), Act.by("ann"));

    await().until(() -> ids().size() == 2);
  }

  @Test
  void aParkedRowThatCannotBeReadIsADeadLetterToo() throws Exception {
    broker.troubledBy(
        message ->
            message.destination().equals("kafka:down")
                ? Optional.of(new Outcome.Unavailable(Reason.NOT_AUTHORISED, "not yet"))
                : Optional.empty());
    UUID first = database.commitOne(0, "kafka:down", "k");
    UUID second = database.commitOne(0, "kafka:down", "k");
    database.commitOne(0, "kafka:test", "other");
    start(false);
    await().until(() -> number("outbox_parked") == 2);
    database.execute(
        "update twinbox.outbox_parked set headers = '{{a,b},{c,d}}' where id = '%s'"
            .formatted(first));
    broker.troubledBy(message -> Optional.empty());

    await().until(() -> ids().contains(second));
    assertThat(ids()).doesNotContain(first);
    await().until(() -> dead() == 1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "headers | '{{a,b},{c,d}}'::text[] | 0",
        "hash | -7 | 1",
        "hash | -2147483648 | 1",
        "due_at | '-infinity'::timestamptz | 1",
        "due_at | '4713-01-01 BC'::timestamptz | 1",
        "expires_at | '-infinity'::timestamptz | 0",
      })
  void whatIsDueIsPromotedWhateverStandsBesideIt(String column, String value, int published)
      throws Exception {
    String role = producer();
    insertScheduled(role, "due_at", "'infinity'::timestamptz");
    insertScheduled(role, "due_at", "'294276-01-01'::timestamptz");
    insertScheduled(role, column, value);
    insertScheduled(role, "due_at", "now()");
    ScheduledMessages scheduled = ScheduledMessages.in(database.dataSource(), "twinbox");
    assertThat(scheduled.list(Selection.all())).hasSize(4);
    start(false);

    await().atMost(Duration.ofMinutes(1)).until(() -> ids().size() == 1 + published);
    await().until(() -> dead() == 1 - published);
    assertThat(number("outbox_scheduled")).isEqualTo(2);
  }

  private void insertScheduled(String role, String column, String value) throws SQLException {
    String dueAt = column.equals("due_at") ? value : "now()";
    String hash = column.equals("hash") ? value : "3";
    String more = column.equals("due_at") || column.equals("hash") ? "" : ", " + column;
    try (Connection connection = database.database().dataSource(role).getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "insert into twinbox.outbox_scheduled (due_at, broker, hash, id, destination, key, type"
              + more
              + ") values ("
              + dueAt
              + ", 'kafka', "
              + hash
              + ", gen_random_uuid(), 'kafka:test', 'k', 'test'"
              + (more.isEmpty() ? "" : ", " + value)
              + ")");
    }
  }

  private String producer() throws SQLException {
    String role = "producer_" + database.database().name();
    database.execute("create role %s login".formatted(role));
    Migrations.defaults().grantProducer(database.dataSource(), role);
    return role;
  }

  private UUID insertAsProducer(String role, Column column) throws SQLException {
    UUID id = UUID.randomUUID();
    List<String> columns = new ArrayList<>(List.of("lane", "id", "destination", "key", "type"));
    List<String> values =
        new ArrayList<>(List.of("0", "'" + id + "'", "'kafka:test'", "'k'", "'test'"));
    String value =
        column.value().replace("long()", LONG).replace("giant()", "repeat('x', " + GIANT + ")");
    if (columns.contains(column.name())) {
      values.set(columns.indexOf(column.name()), value);
    } else {
      columns.add(column.name());
      values.add(value);
    }
    try (Connection connection = database.database().dataSource(role).getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "insert into twinbox.outbox ("
              + String.join(", ", columns)
              + ") values ("
              + String.join(", ", values)
              + ")");
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
                    .withRetry(
                        RetryPolicy.DEFAULTS
                            .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
                            .withParkAfter(Duration.ofMillis(100))
                            .withBlockKeyOnDeadLetter(blockKeys)))
            .build()
            .start());
  }

  private List<UUID> ids() {
    return broker.kept().stream().map(OutboxRecord::id).toList();
  }

  private long dead() throws SQLException {
    return number("outbox_dead_letter");
  }

  private long number(String from) throws SQLException {
    return database.number("select count(*) from twinbox." + from);
  }
}
