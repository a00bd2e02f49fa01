package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.PostgresVersion;
import dev.twinbox.testkit.TestPostgres;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The tables of days: made ahead, dropped behind. */
class InboxUpkeepTest {
  private InboxDatabase database = InboxDatabase.create();
  private Inbox inbox = database.inbox("billing").build();

  @AfterEach
  void close() {
    database.close();
  }

  @Tag("essential")
  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void daysAreMadeAheadAndTakeTheirRowsOutOfTheFuture(PostgresVersion version) throws SQLException {
    database.close();
    database = InboxDatabase.on(TestPostgres.shared(version));
    inbox = database.inbox("billing").build();
    Delivery inFourDays = delivery(Messages.id(Instant.now().plus(Duration.ofDays(4))));
    Delivery inFortyDays = delivery(Messages.id(Instant.now().plus(Duration.ofDays(40))));
    inbox.receiveAll(List.of(inFourDays, inFortyDays), InboxDatabase::effect);
    assertThat(database.count("select count(*) from twinbox.inbox_future")).isEqualTo(2);

    assertThat(inbox.upkeep().runOnce().daysMade()).isEqualTo(1);

    assertThat(database.count("select count(*) from twinbox.inbox_future")).isEqualTo(1);
    assertThat(
            database.count(
                "select max(day) - (now() at time zone 'UTC')::date from twinbox.inbox_day"))
        .isEqualTo(4);
    assertThat(inbox.receiveAll(List.of(inFourDays, inFortyDays), InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Duplicate.class);
    assertThat(inbox.upkeep().runOnce()).isEqualTo(new InboxUpkeep.Result(0, 0, 0, 0));
  }

  @Tag("essential")
  @Test
  void aDayIsRefusedFirstAndDroppedLater() throws SQLException {
    inbox.receive(delivery(), InboxDatabase::effect);
    // The oldest day with a row in it, as it looks when time has gone on.
    Instant oldest = oldestDay().atStartOfDay(ZoneOffset.UTC).toInstant().plusSeconds(60);
    Delivery old = delivery(Messages.id(oldest));
    inbox.receive(old, InboxDatabase::effect);
    assertThat(inbox.receive(old, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
    database.execute("update twinbox.inbox_retention set horizon = interval '6 days'");

    assertThat(inbox.upkeep().runOnce()).isEqualTo(new InboxUpkeep.Result(1, 1, 0, 0));
    assertThat(tableOf(oldestDay())).isEqualTo(1);

    database.execute("update twinbox.inbox_day set closed_at = closed_at - interval '61 minutes'");
    LocalDate dropped = oldestDay();
    assertThat(inbox.upkeep().runOnce().daysDropped()).isEqualTo(1);
    assertThat(tableOf(dropped)).isZero();

    Inbox afterwards = database.inbox("billing").build();
    assertThat(afterwards.receive(old, InboxDatabase::effect))
        .isEqualTo(new Receipt.Refused(QuarantineReason.OLDER_THAN_DEDUP_HORIZON));
    Inbox later = database.inbox("registered later").build();
    assertThat(later.receive(old, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(later.receive(old, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
  }

  @Test
  void afterALongTimeWithoutUpkeepDaysCanStillBeMade() throws SQLException {
    database.execute(
        "update twinbox.inbox_day set closed_at = clock_timestamp() - interval '2 hours'");
    while (!database.texts("select twinbox.inbox_drop_day()").contains("null")) {
      assertThat(database.count("select count(*) from twinbox.inbox_day")).isPositive();
    }

    assertThat(database.count("select count(*) from twinbox.inbox_day")).isEqualTo(1);
    assertThat(inbox.upkeep().runOnce().daysMade()).isEqualTo(1);
    Delivery ahead = delivery(Messages.id(Instant.now().plus(Duration.ofDays(4))));
    assertThat(inbox.receive(ahead, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
  }

  @Test
  void manyRowsOfTheFutureStayWhereTheyAreAndAreStillKnown() throws SQLException {
    Delivery known = delivery(Messages.id(Instant.now().plus(Duration.ofDays(4))));
    Delivery later = delivery(Messages.id(Instant.now().plus(Duration.ofDays(40))));
    inbox.receiveAll(List.of(known, later), InboxDatabase::effect);
    database.execute(
        """
        insert into twinbox.inbox (message_id, consumer_id)
        select twinbox.inbox_bound(clock_timestamp() + interval '4 days' + n * interval '1 ms'), 1
        from generate_series(1, 20000) n on conflict do nothing\
        """);
    String table = database.texts("select 'twinbox.inbox_future'::regclass::oid").get(0);
    String file = "select pg_relation_filenode(%s)".formatted(table);
    String before = database.texts(file).get(0);

    assertThat(inbox.upkeep().runOnce().daysMade()).isEqualTo(1);

    // Not rewritten: the table of the future is the table of that day now.
    assertThat(database.texts(file)).containsExactly(before);
    assertThat(database.texts("select %s::regclass::text".formatted(table)).get(0))
        .startsWith("twinbox.inbox_p");
    assertThat(database.count("select count(*) from twinbox.inbox_future")).isEqualTo(1);
    assertThat(inbox.receiveAll(List.of(known, later), InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Duplicate.class);
    assertThat(inbox.upkeep().runOnce()).isEqualTo(new InboxUpkeep.Result(0, 0, 0, 0));
  }

  @Test
  void makingDaysGivesWayToAHandlerThatIsHeldOpen() throws Exception {
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Thread held =
        new Thread(
            () ->
                inbox.receive(
                    delivery(),
                    (delivery, work) -> {
                      handling.countDown();
                      goOn.await();
                    }));
    held.start();
    assertThat(handling.await(10, TimeUnit.SECONDS)).isTrue();
    Thread upkeep = new Thread(() -> upkeepQuietly());
    upkeep.start();

    long longest = 0;
    int received = 0;
    while (upkeep.isAlive()) {
      long start = System.nanoTime();
      inbox.receive(delivery(), InboxDatabase::effect);
      longest = Math.max(longest, System.nanoTime() - start);
      received++;
    }
    goOn.countDown();
    held.join(10_000);

    assertThat(received).isGreaterThan(20);
    // The 20 ms of the lock's limit, and a machine that does other things as well.
    assertThat(Duration.ofNanos(longest)).isLessThan(Duration.ofMillis(500));
    assertThat(inbox.upkeep().runOnce().daysMade()).isEqualTo(1);
  }

  @Tag("essential")
  @Test
  void foreignIdsAndOldFailuresAreKeptByReceivedTimeAndThenPurged() throws SQLException {
    inbox.receive(delivery("foreign-1"), InboxDatabase::effect);
    inbox.receive(delivery("foreign-2"), InboxDatabase::effect);
    inbox.receive(
        delivery("foreign-3"),
        (delivery, work) -> {
          throw new IllegalStateException("Never again seen");
        });
    database.execute(
        "update twinbox.inbox_foreign set received_at = received_at - interval '9 days'"
            + " where ctid = (select min(ctid) from twinbox.inbox_foreign)");
    database.execute(
        "update twinbox.inbox_failure set last_failed_at = last_failed_at - interval '9 days'");

    assertThat(inbox.upkeep().runOnce().rowsPurged()).isEqualTo(2);

    assertThat(database.count("select count(*) from twinbox.inbox_foreign")).isEqualTo(1);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void aRoleThatOwnsNothingCanConsumeAndKeepTheTablesInShape() throws SQLException {
    String role = "consumer_" + System.nanoTime();
    database.execute("create role " + role + " login");
    Migrations.defaults().grantConsumer(database.dataSource(), role);
    database.execute("grant insert on effect to " + role);
    database.execute("grant usage on sequence effect_number_seq to " + role);
    Inbox least =
        Inbox.builder()
            .dataSource(database.dataSource(role))
            .consumer("least")
            .backoff(Backoff.exponential(Duration.ZERO).giveUpAfter(1))
            .build();

    Delivery message = delivery();
    assertThat(least.receive(message, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(least.receive(message.again(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(
            least.receive(
                delivery(),
                (delivery, work) -> {
                  throw new IllegalStateException("Quarantine");
                }))
        .isInstanceOf(Receipt.Quarantined.class);
    assertThat(
            least.receive(Messages.expiring(Messages.id(), Instant.EPOCH), InboxDatabase::effect))
        .isInstanceOf(Receipt.Expired.class);
    assertThat(least.upkeep().runOnce().daysMade()).isEqualTo(1);
  }

  private void upkeepQuietly() {
    try {
      assertThat(inbox.upkeep().runOnce().daysMade()).isZero();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private LocalDate oldestDay() {
    return LocalDate.parse(database.texts("select min(day) from twinbox.inbox_day").get(0));
  }

  private long tableOf(LocalDate day) {
    return database.count(
        "select count(*) from pg_tables where tablename = 'inbox_p%s'"
            .formatted(day.toString().replace("-", "")));
  }
}
