package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.example.shop.Billing;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Cause;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAsideMessage;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What an operator sees of the quarantine and does with it, and what is written down about it. */
@Tag("essential")
class QuarantineOperatorTest {
  private static final Selection ALL = Selection.all();

  private final InboxDatabase database = InboxDatabase.create();
  private final Quarantine quarantine = Quarantine.of(database.dataSource(), "twinbox");
  private final Inbox billing = inbox("billing");
  private final Inbox mailing = inbox("mailing");

  @AfterEach
  void close() {
    database.close();
  }

  private Inbox inbox(String consumer) {
    return database
        .inbox(consumer)
        .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(1))
        .build();
  }

  @Test
  void causesAreGroupedByReasonAndKindOfError() {
    fail(billing, new IllegalStateException("No customer 1"));
    fail(billing, new IllegalStateException("No customer 2"));
    fail(billing, new UnprocessableException("Negative"));
    fail(mailing, new IllegalStateException("No address"));
    mailing.receive(delivery(null), InboxDatabase::effect);

    List<Cause> causes = quarantine.causes(ALL);

    assertThat(causes.get(0).count()).isEqualTo(2);
    assertThat(causes)
        .extracting(c -> c.where() + " " + c.reason() + " " + c.error())
        .containsExactly(
            "billing attempts-exhausted java.lang.IllegalStateException",
            "billing unprocessable dev.twinbox.inbox.UnprocessableException",
            "mailing attempts-exhausted java.lang.IllegalStateException",
            "mailing no-id ");
    assertThat(
            quarantine
                .preview(
                    ALL.consumer("billing")
                        .reason(QuarantineReason.ATTEMPTS_EXHAUSTED.code())
                        .error("java.lang.IllegalStateException"))
                .count())
        .isEqualTo(2);
  }

  @Test
  void aCauseIsReasonClassAndPlaceWhateverTheMessagesSay() {
    for (int i = 0; i < 6; i++) {
      int customer = i;
      billing.receive(delivery(), (message, work) -> Billing.charge(customer));
      billing.receive(delivery(), (message, work) -> Billing.ship(customer));
    }

    List<Cause> causes = quarantine.causes(ALL);

    assertThat(causes)
        .extracting(c -> c.count() + " " + c.error() + " " + c.frame())
        .containsExactly(
            "6 java.lang.IllegalStateException com.example.shop.Billing.charge",
            "6 java.lang.NumberFormatException com.example.shop.Billing.ship");
    assertThat(causes.get(0).lastError()).contains("No customer 5");
    assertThat(quarantine.preview(ALL.cause(causes.get(0).cause())).count()).isEqualTo(6);
    assertThat(quarantine.list(ALL.cause(causes.get(1).cause()).limit(2)))
        .extracting(SetAsideMessage::error)
        .allMatch(error -> String.valueOf(error).contains("NumberFormatException"));
  }

  @Test
  void aSelectionTakesThoseThatMeetEveryCondition() {
    String first = fail(billing, new IllegalStateException("1"));
    String second = fail(billing, new IllegalStateException("2"));
    fail(mailing, new IllegalStateException("3"));
    long number = quarantine.list(ALL.ids(List.of(second))).get(0).number();

    assertThat(quarantine.list(ALL)).hasSize(3);
    assertThat(quarantine.list(ALL.consumer("mailing"))).hasSize(1);
    assertThat(quarantine.list(ALL.ids(List.of(first, second)).limit(1)))
        .extracting(SetAsideMessage::id)
        .containsExactly(first);
    assertThat(quarantine.list(Selection.number(number)))
        .extracting(SetAsideMessage::id)
        .containsExactly(second);
    assertThat(quarantine.list(Selection.number(number).consumer("mailing"))).isEmpty();
    assertThat(quarantine.list(ALL.before(Instant.now().minusSeconds(3600)))).isEmpty();
    assertThat(quarantine.list(ALL.before(Instant.now().plusSeconds(3600)))).hasSize(3);
  }

  @Test
  void onlyShowReadsThePayload() {
    fail(billing, new IllegalStateException("1"));

    SetAsideMessage listed = quarantine.list(ALL).get(0);
    assertThat(listed.payload()).isNull();
    assertThat(listed.payloadBytes()).isEqualTo(7);
    assertThat(quarantine.find(listed.number()).orElseThrow().payload())
        .isEqualTo("payload".getBytes(StandardCharsets.UTF_8));
    assertThat(quarantine.find(4711)).isEmpty();
  }

  @Test
  void whatWasDiscardedIsLeftOutAndCanBeRestored() {
    fail(billing, new IllegalStateException("1"));
    fail(billing, new IllegalStateException("2"));

    assertThat(quarantine.discard(ALL.limit(1), Act.by("ops"))).isEqualTo(1);
    assertThat(quarantine.list(ALL)).hasSize(1);
    assertThat(quarantine.causes(ALL).get(0).count()).isEqualTo(1);
    assertThat(quarantine.list(ALL.discarded()).get(0).discardedBy()).isEqualTo("ops");
    assertThat(quarantine.redrive(ALL, Act.by("ops")).get(0).selected()).isEqualTo(1);

    assertThat(quarantine.restore(ALL, Act.by("ops"))).isEqualTo(1);
    assertThat(quarantine.list(ALL)).hasSize(2);
    assertThat(quarantine.restore(ALL, Act.by("ops"))).isZero();
  }

  @Test
  void whatWasDiscardedIsDeletedAfterItsTimeAndNothingElse() throws SQLException {
    fail(billing, new IllegalStateException("1"));
    fail(billing, new IllegalStateException("2"));
    fail(billing, new IllegalStateException("3"));
    quarantine.discard(ALL.limit(2), Act.by("ops"));
    database.execute(
        """
        update twinbox.inbox_dead_letter set discarded_at = discarded_at - interval '31 days',
          dead_at = dead_at - interval '100 days'
        where number = (select min(number) from twinbox.inbox_dead_letter)\
        """);

    try (InboxUpkeep upkeep = billing.upkeep()) {
      upkeep.runOnce();
    }

    assertThat(quarantine.list(ALL.discarded())).hasSize(1);
    assertThat(quarantine.list(ALL)).hasSize(1);
  }

  @Test
  void whatWaitsForARedriveIsNotDiscarded() {
    fail(billing, new IllegalStateException("1"));
    quarantine.redrive(ALL, Act.by("ops"));

    assertThat(quarantine.discard(ALL, Act.by("ops"))).isZero();
  }

  @Test
  void aPassIsGivenOnlyWhereItMeansSomething() {
    Delivery givenUp = delivery();
    billing.receive(givenUp, failing(new IllegalStateException("1")));
    billing.receive(delivery(null), InboxDatabase::effect);
    billing.receive(
        Messages.expiring(Messages.id(), Instant.now().minusSeconds(1)), InboxDatabase::effect);

    assertThat(quarantine.pass(ALL, Act.by("ops"))).isEqualTo(1);
    assertThat(quarantine.pass(ALL, Act.by("ops"))).isZero();

    assertThat(billing.receive(givenUp, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(billing.receive(givenUp, InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.quarantined()).containsExactly("no-id", "expired");
  }

  @Test
  void aPassForWhatWasProcessedLetsNothingThrough() {
    Delivery processed = delivery();
    billing.receive(processed, InboxDatabase::effect);
    database.execute(
        """
        insert into twinbox.inbox_pass (consumer_id, message_id, granted_by)
        select consumer_id, message_id, 'ops' from twinbox.inbox\
        """);

    assertThat(billing.receive(processed, InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.effects()).hasSize(1);
  }

  @Test
  void aMessageLetThroughThatFailsAgainIsKeptWithItsNewError() {
    Delivery poison = delivery();
    billing.receive(poison, failing(new IllegalStateException("first")));
    quarantine.pass(ALL, Act.by("ops"));

    assertThat(billing.receive(poison, failing(new IllegalStateException("second"))))
        .isInstanceOf(Receipt.Quarantined.class);

    assertThat(quarantine.list(ALL)).hasSize(1);
    assertThat(quarantine.list(ALL).get(0).error()).contains("second");
    assertThat(billing.receive(poison, InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
  }

  @Test
  void nothingIsDoneWhereTheCountIsAnother() {
    fail(billing, new IllegalStateException("1"));

    assertThatThrownBy(() -> quarantine.discard(ALL, Act.by("ops").exactly(2)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("There are 1 messages to discard, not 2");
    assertThat(quarantine.list(ALL)).hasSize(1);
    assertThat(quarantine.discard(ALL, Act.by("ops").exactly(1))).isEqualTo(1);
  }

  @Test
  void eachActIsWrittenDownWithWhoWhenWhatAndHowMany() {
    fail(billing, new IllegalStateException("1"));
    fail(billing, new IllegalStateException("2"));

    quarantine.discard(ALL.consumer("billing").limit(1), Act.by("alice"));
    quarantine.restore(ALL, Act.by("bob"));
    quarantine.pass(ALL.reason(QuarantineReason.ATTEMPTS_EXHAUSTED.code()), Act.by("carol"));
    long number = quarantine.redrive(ALL, Act.by("dave")).get(0).number();
    quarantine.stopRedrive(number, "erin");

    assertThat(
            database.texts(
                """
                select done_by || ': ' || action || ' (' || selection || ') ' || affected
                from twinbox.inbox_audit
                where done_at > clock_timestamp() - interval '10 minutes' order by number\
                """))
        .containsExactly(
            "alice: discard (consumer = billing, limit = 1) 1",
            "bob: restore (all) 1",
            "carol: pass (reason = attempts-exhausted) 2",
            "dave: redrive (all) 2",
            "erin: stop redrive (redrive %s) 2".formatted(number));
    assertThatThrownBy(() -> quarantine.discard(ALL, Act.by(" ")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aConsumersRoleIsEnoughAndCannotRewriteTheAudit() {
    String role = "operator-" + UUID.randomUUID();
    database.execute("create role \"%s\" login".formatted(role));
    Migrations.defaults().grantConsumer(database.dataSource(), role);
    Quarantine theirs = Quarantine.of(database.dataSource(role), "twinbox");
    fail(billing, new IllegalStateException("1"));

    theirs.discard(ALL, Act.by("ops"));
    theirs.restore(ALL, Act.by("ops"));
    theirs.pass(ALL, Act.by("ops"));
    assertThat(theirs.causes(ALL)).hasSize(1);
    long number = theirs.redrive(ALL, Act.by("ops")).get(0).number();
    assertThat(theirs.redriveProgress(number)).isPresent();
    Inbox byRole =
        Inbox.builder().dataSource(database.dataSource(role)).consumer("billing").build();
    assertThat(byRole.redriver((delivery, work) -> {}).runOnce()).isEqualTo(1);

    assertThat(
            database.texts(
                "select has_table_privilege('%s', 'twinbox.inbox_audit', 'update, delete')::text"
                    .formatted(role)))
        .containsExactly("false");
  }

  private static String fail(Inbox inbox, Exception error) {
    Delivery poison = delivery();
    inbox.receive(poison, failing(error));
    return String.valueOf(poison.id());
  }

  private static Handler failing(Exception error) {
    return (delivery, work) -> {
      throw error;
    };
  }
}
