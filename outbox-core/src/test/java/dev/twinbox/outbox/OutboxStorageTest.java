package dev.twinbox.outbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.outbox.TestOutbox.Stored;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** How a message becomes a row. */
final class OutboxStorageTest {
  private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();

  @Test
  void everythingArrivesAsItWasSaid() throws SQLException {
    AtomicReference<@Nullable String> trace = new AtomicReference<>(TRACE);
    Outbox traced = Outbox.builder().source("/shop").traceparent(trace::get).build();
    byte[] bytes = {0, 1, (byte) 0xff, '\'', '\\', '"'};
    Message message =
        Message.to("rabbitmq:events/order.placed")
            .key("k \"{},\\ 🔑")
            .type("order.placed")
            .contentType("application/octet-stream")
            .payload(bytes)
            .header("tenant", "a,b\"c\\d{}")
            .header("empty", "")
            .header("null", "NULL");
    List<Enqueued> results = new ArrayList<>();
    try (Connection connection = test.begin()) {
      results.add(traced.enqueue(connection, message));
      results.addAll(traced.enqueueAll(connection, List.of(message)));
      connection.commit();
    }
    assertThat(results).noneMatch(Enqueued::duplicate);
    List<Stored> rows = test.stored("outbox", "position");
    assertThat(rows).extracting(Stored::id).isEqualTo(results.stream().map(Enqueued::id).toList());
    for (Stored row : rows) {
      assertThat(row.destination()).isEqualTo("rabbitmq:events/order.placed");
      assertThat(row.key()).isEqualTo("k \"{},\\ 🔑");
      assertThat(row.type()).isEqualTo("order.placed");
      assertThat(row.contentType()).isEqualTo("application/octet-stream");
      assertThat(row.headers())
          .containsExactly(
              "tenant",
              "a,b\"c\\d{}",
              "empty",
              "",
              "null",
              "NULL",
              "ce_source",
              "/shop",
              "ce_traceparent",
              TRACE);
      assertThat(row.payload()).isEqualTo(bytes);
    }
  }

  @Test
  void tombstonesAreNullAndEmptyPayloadsAreNot() throws SQLException {
    Message message = Message.to("kafka:orders").type("t");
    enqueueEachWay(message.tombstone(), message.payload(new byte[0]));
    assertThat(test.list("select octet_length(payload) from twinbox.outbox order by position"))
        .containsExactly("null", "0", "null", "0");
    assertThat(test.stored("outbox", "position"))
        .allSatisfy(row -> assertThat(row.headers()).containsExactly("ce_source", "/shop"))
        .allSatisfy(row -> assertThat(row.key()).isNull());
  }

  @Test
  void jsonIsEncodedWhenEnqueuedAndTextIsUtf8() throws SQLException {
    Message message = Message.to("kafka:orders").type("t");
    enqueueEachWay(
        message.json(Map.of("at", Instant.parse("2026-01-02T03:04:05Z").toString())),
        message.json(List.of(1, 2)).contentType("application/vnd.shop+json"),
        message.text("Grüße"));
    List<Stored> rows = test.stored("outbox", "position");
    assertThat(rows)
        .extracting(Stored::contentType)
        .startsWith("application/json", "application/vnd.shop+json", "text/plain; charset=utf-8");
    assertThat(rows)
        .extracting(row -> row.payload() == null ? "" : new String(row.payload(), UTF_8))
        .startsWith("{\"at\":\"2026-01-02T03:04:05Z\"}", "[1,2]", "Grüße");
  }

  @Test
  void whatHasNoJsonIsRefusedWithTheCodecsReason() {
    assertThatThrownBy(
            () -> outbox.prepare(Message.to("kafka:orders").type("t").json(new Object())))
        .isInstanceOf(InvalidMessageException.class)
        .hasMessageContaining("java.lang.Object");
  }

  @Test
  void brokenTraceContextNeverStopsBusiness() {
    List<String> traces = new ArrayList<>(List.of("nonsense", TRACE + "\n", "throw"));
    Outbox traced =
        Outbox.builder()
            .source("/shop")
            .traceparent(
                () -> {
                  String next = traces.remove(0);
                  if (next.equals("throw")) {
                    throw new IllegalStateException("tracing is broken");
                  }
                  return next;
                })
            .build();
    try (Connection connection = test.begin()) {
      for (int i = 0; i < 3; i++) {
        traced.enqueue(connection, Message.to("kafka:orders").type("t").text("x"));
      }
      connection.commit();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    assertThat(traces).isEmpty();
    assertThat(test.stored("outbox", "position"))
        .hasSize(3)
        .allSatisfy(row -> assertThat(row.headers()).containsExactly("ce_source", "/shop"));
  }

  @Test
  void theLaneFollowsFromTheKeyAndTheDatabasesCount() throws SQLException {
    test.run(
        "insert into twinbox.outbox_broker values ('kafka@billing', 100, 7)",
        "update twinbox.outbox_broker set lanes = 3 where broker = 'kafka'");
    Message message = Message.to("kafka@billing:a").type("t").text("x");
    UUID id = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
    enqueueEachWay(
        message.key("order-1"),
        message.id(id),
        Message.to("kafka:a").type("t").text("x").key("order-2"));
    assertThat(test.list("select lane from twinbox.outbox order by position"))
        .startsWith("" + (100 + 302013084 % 7), "" + (100 + 1946718882 % 7), "" + 2010665664 % 3)
        .hasSize(6);
    assertThat(test.list("select distinct lane from twinbox.outbox")).hasSize(3);
  }

  @Test
  void aBrokerWithoutLanesIsRefusedAndTheTransactionGoesOn() throws SQLException {
    Message lost = Message.to("kafka@nowhere:a").type("t").key("lost").text("x");
    Message good = Message.to("kafka:a").type("t").key("good").text("x");
    try (Connection connection = test.begin()) {
      for (Message refused : List.of(lost, lost.delay(Duration.ofDays(1)), lost.dedupKey("d"))) {
        assertThatThrownBy(() -> outbox.enqueue(connection, refused))
            .isInstanceOf(NoLanesException.class)
            .hasMessageContaining("kafka@nowhere")
            .hasMessageContaining("A relay that is configured for it makes them");
        assertThatThrownBy(() -> outbox.enqueueAll(connection, List.of(good, refused, good)))
            .isInstanceOf(NoLanesException.class)
            .hasMessageContaining("broker kafka@nowhere,");
        assertThatThrownBy(
                () -> outbox.enqueueAll(connection, List.of(good.dedupKey("e"), refused)))
            .isInstanceOf(NoLanesException.class);
      }
      outbox.enqueue(connection, good);
      connection.commit();
    }
    assertThat(test.keys()).containsExactly("good");
    assertThat(test.list("select id from twinbox.outbox_scheduled")).isEmpty();
    assertThat(test.list("select dedup_key from twinbox.outbox_dedup")).isEmpty();
  }

  @Test
  void aMissingSchemaAndAMissingPrivilegeSayWhatToDo() throws SQLException {
    Message message = Message.to("kafka:a").type("t").text("x");
    Outbox elsewhere = Outbox.builder().schema("elsewhere").source("/shop").build();
    try (Connection connection = test.begin()) {
      assertThatThrownBy(() -> elsewhere.enqueue(connection, message))
          .isInstanceOf(DataAccessException.class)
          .hasMessageContaining("elsewhere")
          .hasMessageContaining("Migrations.apply(dataSource)")
          .hasCauseInstanceOf(SQLException.class);
      connection.rollback();
    }
    test.run("create role \"nobody-%s\" login".formatted(test.database().name()));
    test.run("grant usage on schema twinbox to \"nobody-%s\"".formatted(test.database().name()));
    try (Connection connection =
        test.database().dataSource("nobody-" + test.database().name()).getConnection()) {
      connection.setAutoCommit(false);
      assertThatThrownBy(() -> outbox.enqueueAll(connection, List.of(message)))
          .isInstanceOf(DataAccessException.class)
          .hasMessageContaining("grantProducer");
    }
  }

  @Test
  void aRowCarriesItsOwnTransactionsXid() throws SQLException {
    try (Connection connection = test.begin();
        Statement statement = connection.createStatement()) {
      outbox.enqueue(connection, Message.to("kafka:a").type("t").text("x"));
      try (var result =
          statement.executeQuery("select xid = pg_current_xact_id() from twinbox.outbox")) {
        assertThat(result.next()).isTrue();
        assertThat(result.getBoolean(1)).isTrue();
      }
    }
  }

  private void enqueueEachWay(Message... messages) throws SQLException {
    try (Connection connection = test.begin()) {
      for (Message message : messages) {
        outbox.enqueue(connection, message);
      }
      outbox.enqueueAll(connection, List.of(messages));
      connection.commit();
    }
  }
}
