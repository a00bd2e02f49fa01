package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.NoLanesException;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.doctor.Doctor;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.StatusReader;
import dev.twinbox.relay.status.Thresholds;
import dev.twinbox.relay.status.Verdict;
import dev.twinbox.relay.status.Verdict.Cause;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Somebody has removed rows without which nothing works, as cleaners of tests do. */
class CleanedTablesTest {
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final DrainSettings SETTINGS =
      DrainSettings.DEFAULTS.withLease(Duration.ofSeconds(10));

  private final OutboxDatabase database = new OutboxDatabase(100, 4);
  private final Outbox outbox = Outbox.builder().source("/test").build();
  private final MemoryBroker broker = new MemoryBroker();

  @AfterEach
  void close() {
    broker.close();
    database.close();
  }

  @Test
  void aRelayThatRunsGoesOnAfterAllTablesWereTruncated() throws SQLException {
    try (Relay relay = start()) {
      enqueue(150);
      await().atMost(SOON).until(() -> broker.count() == 150);

      truncateAll();

      await().atMost(SOON).ignoreException(NoLanesException.class).until(() -> enqueue(150));
      await().atMost(SOON).until(() -> broker.count() == 300);
      database.execute(
          "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, type)"
              + " values (clock_timestamp(), gen_random_uuid(), 'kafka', 0, 'kafka:a', 't')");
      await().atMost(SOON).until(() -> broker.count() == 301);
      await()
          .atMost(SOON)
          .until(
              () ->
                  database.number("select count(*) from twinbox.qrtz_triggers") == 1
                      && database.number("select count(*) from twinbox.outbox") < 100);
      await().atMost(SOON).until(() -> relay.health().up());
      Status status = relay.status();
      assertThat(status.missing()).isEmpty();
      assertThat(status.restored()).isNull();
      assertThat(status.lanes()).hasSize(8);
      assertThat(status.ring().chunk()).isEqualTo(100);
    }
  }

  @Test
  void aRelayStartsAfterAllTablesWereTruncated() throws SQLException {
    truncateAll();
    assertThat(examined()).anyMatch(f -> f.code().equals("rows-missing"));
    assertThatThrownBy(() -> StatusReader.in(database.dataSource(), "twinbox").read())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("schema_version")
        .hasMessageContaining("bin/twinbox migrate");

    try (Relay relay = start()) {
      assertThat(relay.health().problems()).isEmpty();
      enqueue(10);
      await().atMost(SOON).until(() -> broker.count() == 10);
      assertThat(examined()).noneMatch(f -> f.code().equals("rows-missing"));
    }
  }

  @Test
  void singleRowsThatAreMissingAreNamedAndMended() throws SQLException {
    for (String table :
        List.of("outbox_ring", "outbox_retention", "outbox_lane_log", "outbox_broker")) {
      database.execute("truncate twinbox.%s cascade".formatted(table));

      assertThat(examined())
          .as(table)
          .anyMatch(f -> f.code().equals("rows-missing") || f.code().equals("lane-missing"));
      assertThat(
              Verdict.of(
                      StatusReader.in(database.dataSource(), "twinbox").read(), Thresholds.DEFAULTS)
                  .causes())
          .as(table)
          .extracting(Cause::code)
          .contains("rows-missing");
      try (Relay relay = start()) {
        await().atMost(SOON).until(() -> relay.health().up() && relay.status().missing().isEmpty());
      }
    }
  }

  @Test
  void whoseMessagesAreThereIsNotGuessedAndHealthSaysSo() throws SQLException {
    try (Relay relay = start()) {
      enqueue(10);
      await().atMost(SOON).until(() -> broker.count() == 10);
      database.execute(
          "truncate twinbox.outbox_broker, twinbox.outbox_lane, twinbox.outbox_lane_log,"
              + " twinbox.outbox_scheduled");

      await().atMost(SOON).until(() -> !relay.health().up());

      assertThat(relay.health().problems())
          .anyMatch(p -> p.contains("outbox_broker") && p.contains("truncate the outbox"));
      assertThatThrownBy(() -> enqueue(1)).isInstanceOf(NoLanesException.class);

      database.execute("truncate twinbox.outbox");
      await().atMost(SOON).ignoreException(NoLanesException.class).until(() -> enqueue(10));
      await().atMost(SOON).until(() -> broker.count() == 20 && relay.health().up());
    }
  }

  private List<Finding> examined() {
    return new Doctor()
        .outbox(database.dataSource(), OutboxDatabase.TABLES)
        .examine(List.of())
        .findings();
  }

  private void truncateAll() throws SQLException {
    database.execute(
        """
        do $clean$
        begin
          execute (select 'truncate ' || string_agg(c.oid::regclass::text, ', ')
            || ' restart identity cascade'
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'twinbox' and c.relkind in ('r', 'p'));
          alter sequence twinbox.outbox_position restart;
        end
        $clean$
        """);
  }

  private Relay start() {
    return Relay.builder()
        .dataSource(database.dataSource())
        .broker(broker.borrowed())
        .settings(SETTINGS)
        .build()
        .start();
  }

  private boolean enqueue(int count) throws SQLException {
    try (Connection producer = database.begin()) {
      for (int i = 0; i < count; i++) {
        outbox.enqueue(producer, Message.to("kafka:a").key("k").type("t").json(i));
      }
      producer.commit();
      return true;
    }
  }
}
