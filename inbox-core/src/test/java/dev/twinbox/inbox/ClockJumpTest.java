package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The database's clock jumps ahead and comes back while upkeep runs. */
class ClockJumpTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final Delivery known = delivery();

  @BeforeEach
  void receive() {
    inbox.receive(known, InboxDatabase::effect);
    inbox.receive(delivery("foreign"), InboxDatabase::effect);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void whatADatabasesClockIsAheadByIsNeitherClosedNorDroppedNorForgotten() throws SQLException {
    String before = closedBefore();
    jump("40 days");
    for (int round = 0; round < 3; round++) {
      assertThat(inbox.upkeep().runOnce().daysClosed()).isZero();
      assertThat(inbox.upkeep().runOnce().daysDropped()).isZero();
      database.execute("update twinbox.inbox_day set closed_at = closed_at - interval '2 hours'");
    }
    jump("0");

    assertThat(closedBefore()).isEqualTo(before);
    everythingIsAsBefore();
  }

  @Test
  void olderCodeThatNamesNoClockGoesByTheNewestId() {
    String before = closedBefore();
    jump("40 days");
    assertThat(database.count("select twinbox.inbox_close_days()")).isZero();
    jump("0");

    assertThat(closedBefore()).isEqualTo(before);
    everythingIsAsBefore();
  }

  @Test
  void whatWasClosedByAClockThatWasAheadIsOpenedAgain() throws SQLException {
    database.execute(
        "update twinbox.inbox_day set closed_at = clock_timestamp() + interval '40 days'");
    database.execute(
        "update twinbox.inbox_retention set closed_before = clock_timestamp() + interval '32"
            + " days'");
    Inbox restarted = database.inbox("billing").build();
    assertThat(restarted.receive(delivery(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Refused.class);

    assertThat(inbox.upkeep().runOnce().daysDropped()).isZero();

    assertThat(database.count("select count(*) from twinbox.inbox_day where closed_at is not null"))
        .isZero();
    everythingIsAsBefore();
  }

  @Test
  void whatWasDroppedStaysClosed() throws SQLException {
    Delivery dropped =
        delivery(Messages.id(Instant.now().minus(Duration.ofDays(8)).plusSeconds(60)));
    inbox.receive(dropped, InboxDatabase::effect);
    database.execute(
        "update twinbox.inbox_day set closed_at = clock_timestamp() - interval '2 hours'"
            + " where day <= (now() at time zone 'UTC')::date - 4");
    database.execute(
        "update twinbox.inbox_retention set closed_before = clock_timestamp() + interval '32"
            + " days'");
    while (database.count("select count(twinbox.inbox_drop_day())") > 0) {
      assertThat(database.count("select count(*) from twinbox.inbox_day")).isPositive();
    }

    inbox.upkeep().runOnce();

    assertThat(
            database.count(
                "select extract(epoch from closed_before - min(day)::timestamp at time zone 'UTC')"
                    + "::bigint from twinbox.inbox_retention, twinbox.inbox_day group by"
                    + " closed_before"))
        .isZero();
    everythingIsAsBefore();
    Inbox restarted = database.inbox("billing").build();
    assertThat(restarted.receive(dropped, InboxDatabase::effect))
        .isNotInstanceOf(Receipt.Processed.class);
  }

  @Test
  void whileTheDatabasesClockIsAheadNewIdsAreProcessedOnce() {
    // As a consumer that asks only now sees it.
    Registration ahead =
        new Registration(
            1,
            0,
            0,
            Instant.now().minus(Duration.ofDays(8)).toEpochMilli(),
            Duration.ofDays(7).toMillis(),
            Instant.now().plus(Duration.ofDays(40)).toEpochMilli(),
            System.nanoTime());

    assertThat(ahead.refuses(System.currentTimeMillis())).isFalse();
    assertThat(ahead.refuses(Instant.now().minus(Duration.ofDays(9)).toEpochMilli())).isTrue();
  }

  private void everythingIsAsBefore() {
    Inbox restarted = database.inbox("billing").build();
    assertThat(restarted.receive(known, InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(restarted.receive(delivery("foreign"), InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(restarted.receive(delivery(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
  }

  private String closedBefore() {
    return database.texts("select closed_before from twinbox.inbox_retention").get(0);
  }

  private void jump(String interval) {
    database.execute(
        "create or replace function twinbox.inbox_clock() returns timestamptz language sql volatile"
            + " as $$ select clock_timestamp() + interval '"
            + interval
            + "' $$");
  }
}
