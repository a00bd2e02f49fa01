package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a second makes of a redelivery, at the edge of what the inbox remembers. */
class InboxHorizonTest {
  private static final Duration HORIZON = Duration.ofDays(7);
  private static final Receipt REFUSED =
      new Receipt.Refused(QuarantineReason.OLDER_THAN_DEDUP_HORIZON);

  private final InboxDatabase database = InboxDatabase.create();

  @BeforeEach
  void aConsumerOfAMonthAgo() {
    database.inbox("billing").build().receive(delivery(), InboxDatabase::effect);
    database.execute(
        "update twinbox.inbox_consumer set registered_at = registered_at - interval '30 days',"
            + " refuses_from = refuses_from - interval '30 days', kept_from = kept_from - interval"
            + " '30 days'");
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aRedeliveryOneSecondInsideTheHorizonIsADuplicate() {
    Inbox inbox = database.inbox("billing").build();
    Instant before;
    Receipt again;
    do {
      before = now();
      Delivery inside = delivery(Messages.id(before.minus(HORIZON).plusSeconds(1)));
      inbox.receive(inside, InboxDatabase::effect);
      again = inbox.receive(inside, InboxDatabase::effect);
      // On a machine that was busy for so long, the second is over: once more.
    } while (Duration.between(before, now()).toMillis() >= 1_000);

    assertThat(again).isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.quarantined()).isEmpty();
  }

  @Test
  void aRedeliveryOneSecondOutsideIsRefusedVisiblyAndCanBeLetThrough() throws SQLException {
    Inbox inbox = database.inbox("billing").build();
    Delivery outside = delivery(Messages.id(now().minus(HORIZON).minusSeconds(1)));

    assertThat(inbox.receive(outside, InboxDatabase::effect)).isEqualTo(REFUSED);
    assertThat(database.quarantined()).containsExactly("older-than-dedup-horizon");
    assertThat(database.effects()).hasSize(1);

    database.execute(
        "insert into twinbox.inbox_pass (consumer_id, message_id, granted_by) select consumer_id,"
            + " message_id, 'ops' from twinbox.inbox_dead_letter");
    assertThat(inbox.receive(outside, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(outside, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
  }

  @Test
  void aConsumerThatIsRegisteredLaterProcessesWhatOthersRefuse() {
    Delivery outside = delivery(Messages.id(now().minus(HORIZON).minusSeconds(1)));
    Delivery ancient = delivery(Messages.id(now().minus(HORIZON.multipliedBy(3))));
    Inbox old = database.inbox("billing").build();
    Inbox later = database.inbox("registered later").build();

    for (Delivery each : new Delivery[] {outside, ancient}) {
      assertThat(old.receive(each, InboxDatabase::effect)).isEqualTo(REFUSED);
      assertThat(later.receive(each, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
      assertThat(later.receive(each, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
    }
  }

  @Test
  void whatIsInsideTheHorizonIsKnownThoughAllThatMayGoIsDropped() throws SQLException {
    Inbox inbox = database.inbox("billing").build();
    Delivery inside = delivery(Messages.id(now().minus(HORIZON).plusSeconds(60)));
    assertThat(inbox.receive(inside, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);

    // What is closed in one round may be dropped in the next.
    for (int round = 0; round < 3; round++) {
      inbox.upkeep().runOnce();
      database.execute("update twinbox.inbox_day set closed_at = closed_at - interval '2 hours'");
    }

    assertThat(inbox.receive(inside, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(inbox.upkeep().keptFor()).isEqualTo(HORIZON);
  }

  private Instant now() {
    return Instant.ofEpochMilli(
        database.count("select (extract(epoch from clock_timestamp()) * 1000)::bigint"));
  }
}
