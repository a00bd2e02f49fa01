package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.f4b6a3.uuid.util.UuidUtil;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Due and expiry times, by the database's clock. */
@Tag("essential")
final class TimesTest {
  private static final Instant FUTURE = Instant.parse("2099-01-02T03:04:05.123456Z");
  private static final Instant PAST = Instant.parse("2001-01-01T00:00:00Z");

  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();

  @Test
  void whatIsNotDueWaitsInItsOwnTable() throws SQLException {
    Enqueued later = enqueue(message("later").deliverAt(FUTURE)).get(0);

    assertThat(test.keys()).isEmpty();
    assertThat(test.stored("outbox_scheduled", "due_at").get(0).headers())
        .containsExactly("ce_source", "/shop");
    assertThat(
            test.one(
                "select due_at = '%s' and broker = 'kafka' and hash = %s and id = '%s' and expires_at is null from twinbox.outbox_scheduled"
                    .formatted(FUTURE, LaneHash.of("later"), later.id())))
        .isEqualTo("t");
  }

  @Test
  void whatWasDueInThePastGoesStraightToTheOutbox() throws SQLException {
    enqueue(message("past").deliverAt(PAST));
    enqueue(message("zero").delay(Duration.ZERO));

    assertThat(test.keys()).containsExactly("past", "zero");
    assertThat(test.list("select id from twinbox.outbox_scheduled")).isEmpty();
  }

  @Test
  void aDelayCountsFromTheDatabasesClock() throws SQLException {
    enqueue(message("later").delay(Duration.ofHours(5)));

    assertThat(
            test.one(
                "select due_at - created_at between interval '4:59:59' and interval '5:00:00' from"
                    + " twinbox.outbox_scheduled"))
        .isEqualTo("t");
  }

  @Test
  void aBatchKeepsItsOrderAndEachMessageItsTime() throws SQLException {
    enqueue(
        message("1"),
        message("2").deliverAt(PAST),
        message("3").deliverAt(FUTURE),
        message("4").expiresAt(FUTURE),
        message("5").delay(Duration.ofDays(2)).ttl(Duration.ofMinutes(1)),
        message("6").deliverAt(PAST).ttl(Duration.ofHours(1)));

    assertThat(test.keys()).containsExactly("1", "2", "4", "6");
    assertThat(test.list("select key from twinbox.outbox_scheduled order by number"))
        .containsExactly("3", "5");
    assertThat(test.one("select expires_at - due_at from twinbox.outbox_scheduled where key = '5'"))
        .isEqualTo("00:01:00");
    assertThat(
            test.one(
                "select expires_at - created_at between interval '0:59:59' and interval '1:00:01'"
                    + " from twinbox.outbox where key = '6'"))
        .as("counted from now, as its due time has passed")
        .isEqualTo("t");
  }

  @Test
  void expiryIsStoredToTheMicrosecond() throws SQLException {
    enqueue(message("1").expiresAt(FUTURE.plusNanos(999)));
    enqueue(message("2").ttl(Duration.ofSeconds(90, 1000)));
    enqueue(message("3").expiresAt(PAST));

    assertThat(
            test.one(
                "select expires_at = '%s' from twinbox.outbox where key = '1'".formatted(FUTURE)))
        .isEqualTo("t");
    assertThat(
            test.one(
                "select expires_at - created_at between interval '89 s' and interval '91 s' from"
                    + " twinbox.outbox where key = '2'"))
        .isEqualTo("t");
    assertThat(test.keys()).as("the relay decides").containsExactly("1", "2", "3");
  }

  @Test
  void anIdCarriesTheTimeAtWhichItIsDue() throws SQLException {
    Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    List<Enqueued> all =
        enqueue(
            message("now"),
            message("past").deliverAt(PAST),
            message("future").deliverAt(FUTURE),
            message("delayed").delay(Duration.ofDays(3)));
    Instant after = Instant.now();

    assertThat(time(all.get(0))).isBetween(before, after);
    assertThat(time(all.get(1))).isBetween(before, after);
    assertThat(time(all.get(2))).isEqualTo(FUTURE.truncatedTo(ChronoUnit.MILLIS));
    Duration delay = Duration.ofDays(3);
    assertThat(time(all.get(3))).isBetween(before.plus(delay), after.plus(delay));
    assertThat(all).allSatisfy(each -> assertThat(each.id().version()).isEqualTo(7));
  }

  private List<Enqueued> enqueue(Message... messages) throws SQLException {
    try (Connection connection = test.begin()) {
      List<Enqueued> results =
          messages.length == 1
              ? List.of(outbox.enqueue(connection, messages[0]))
              : outbox.enqueueAll(connection, List.of(messages));
      connection.commit();
      return results;
    }
  }

  private static Instant time(Enqueued enqueued) {
    return UuidUtil.getInstant(enqueued.id());
  }

  private static Message message(String key) {
    return Message.to("kafka:orders").key(key).type("order.placed").text(key);
  }
}
