package dev.twinbox.relay.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.ServerExamination;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.status.Status.TransactionLine;
import dev.twinbox.relay.status.Verdict.Cause;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Everything that holds messages, leaves or old rows back has a name, an age and a remedy. */
class HeldBackTest {
  private static final String NAME = "it's a \"branch\"";

  private final TestPostgres server =
      TestPostgres.builder().setting("max_prepared_transactions", "5").start();
  private final OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 100, 4);

  @AfterEach
  void close() {
    database.close();
    server.close();
  }

  @Test
  void aPreparedTransactionHasItsNameAgeOwnerAndRemedyAlsoAfterARestart() throws SQLException {
    prepare(NAME);
    isShown();

    server.restart();
    isShown();

    assertThat(examined())
        .anyMatch(
            f ->
                f.code().equals("long-transaction")
                    && f.value().contains("'it''s a \"branch\"' of postgres")
                    && f.remedy().contains("rollback prepared"));
    database.execute("rollback prepared 'it''s a \"branch\"'");
    assertThat(read().transactions()).isEmpty();
  }

  private void isShown() throws SQLException {
    Status status = read();
    assertThat(status.transactions())
        .singleElement()
        .satisfies(
            t -> {
              assertThat(t.pid()).isNull();
              assertThat(t.prepared()).isEqualTo(NAME);
              assertThat(t.seconds()).isNotNull();
              assertThat(t.role()).isEqualTo("postgres");
              assertThat(t.state()).isEqualTo("prepared");
              assertThat(t.enqueued()).isTrue();
            });
    assertThat(status.oldestSnapshot())
        .isNotNull()
        .extracting(TransactionLine::prepared)
        .isEqualTo(NAME);
    assertThat(causes(status, "open-transaction"))
        .singleElement()
        .asString()
        .contains(
            "Prepared transaction '" + NAME + "' of postgres",
            "rollback prepared 'it''s a \"branch\"'");
  }

  @Test
  void aPreparedTransactionIsNamedAsWhatFillsTheRing() throws SQLException {
    prepare("forgotten");
    database.execute(
        "insert into twinbox.outbox (lane, id, destination, type) select 0, gen_random_uuid(),"
            + " 'kafka:a', 't' from generate_series(1, 390)");
    Status status = read();
    TransactionLine young = status.transactions().get(0);
    TransactionLine old =
        new TransactionLine(
            null, young.prepared(), 3600.0, "", young.role(), young.state(), young.enqueued());

    assertThat(causes(with(status, old), "ring-full"))
        .singleElement()
        .asString()
        .contains("Prepared transaction 'forgotten' of postgres keeps them", "rollback prepared");
  }

  @Test
  void aTransactionThatTheRoleMayNotSeeIsCalledHidden() throws SQLException {
    database.execute("create role watcher login");
    Migrations.defaults().grantRelay(database.dataSource(), "watcher");
    DataSource watcher = database.database().dataSource("watcher");
    try (Connection producer = database.begin()) {
      database.insert(producer, 0, "k");

      assertThat(StatusReader.in(watcher, "twinbox").read().transactions())
          .singleElement()
          .satisfies(
              t -> {
                assertThat(t.state()).isEqualTo("hidden");
                assertThat(t.seconds()).isNull();
                assertThat(t.pid()).isNotNull();
              });
    }
  }

  private void prepare(String name) throws SQLException {
    try (Connection producer = database.begin()) {
      database.insert(producer, 0, "k");
      producer
          .createStatement()
          .execute("prepare transaction '%s'".formatted(name.replace("'", "''")));
    }
  }

  private List<Finding> examined() throws SQLException {
    try (Connection connection = database.database().dataSource().getConnection()) {
      return new ServerExamination(InstantSource.system(), Duration.ZERO).examine(connection);
    }
  }

  private Status read() throws SQLException {
    return StatusReader.in(database.database().dataSource(), "twinbox").read();
  }

  private static List<String> causes(Status status, String code) {
    Thresholds d = Thresholds.DEFAULTS;
    Thresholds thresholds =
        new Thresholds(
            d.maxAge(),
            d.maxWaiting(),
            d.maxDeadLetters(),
            d.maxRingFill(),
            d.maxUnowned(),
            d.maxOverdue(),
            Duration.ZERO,
            d.maxSkew(),
            d.maxLag());
    return Verdict.of(status, thresholds).causes().stream()
        .filter(cause -> cause.code().equals(code))
        .map(Cause::sentence)
        .toList();
  }

  private static Status with(Status s, TransactionLine transaction) {
    return new Status(
        s.schema(),
        s.schemaVersion(),
        s.time(),
        s.restored(),
        s.everUsed(),
        s.relays(),
        s.brokers(),
        s.destinations(),
        s.lanes(),
        s.parked(),
        s.deadLetters(),
        s.deadLettersLastHour(),
        s.blockedKeys(),
        s.scheduled(),
        s.troubles(),
        List.of(transaction),
        s.oldestSnapshot(),
        s.ring(),
        s.sizes(),
        s.upkeep(),
        s.missing());
  }
}
