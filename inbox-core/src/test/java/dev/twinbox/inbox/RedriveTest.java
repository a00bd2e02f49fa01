package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.BeyondHorizonException;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAsideMessage;
import dev.twinbox.testkit.FaultProxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an operator has handled once more takes effect once, in order, and not too fast. */
@Timeout(120)
class RedriveTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Act FAST = Act.by("ops").perSecond(10_000);
  private static final Handler POISON =
      (delivery, work) -> {
        InboxDatabase.effect(delivery, work);
        throw new IllegalStateException("Poison " + delivery.id());
      };

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox =
      database
          .inbox("billing")
          .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(1))
          .build();
  private final Quarantine quarantine = Quarantine.of(database.dataSource(), "twinbox");
  private final List<AutoCloseable> toClose = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : toClose) {
      each.close();
    }
    database.close();
  }

  @Tag("essential")
  @Test
  void aRedrivenMessageIsHandledAsItCameAndLeavesQuarantine() {
    Delivery poison =
        Delivery.builder()
            .id(Messages.id())
            .source("/shop")
            .type("order.placed")
            .destination("kafka:orders")
            .key("key")
            .contentType("text/plain")
            .time(Instant.parse("2026-11-22T07:00:00.123Z"))
            .expiresAt(Instant.parse("2126-01-01T00:00:00Z"))
            .headers(Map.of("mine", "größer"))
            .payload(new byte[] {0, 1, 2})
            .origin("kafka:orders/0/7")
            .build();
    inbox.receive(poison, POISON);
    List<Delivery> seen = new ArrayList<>();

    Redrive redrive = redrive(Selection.all());
    int settled = redriver((delivery, work) -> seen.add(delivery)).runOnce();

    assertThat(settled).isEqualTo(1);
    Delivery again = seen.get(0);
    assertThat(again).usingRecursiveComparison().isEqualTo(poison.again());
    assertThat(database.quarantined()).isEmpty();
    Redrive done = progress(redrive);
    assertThat(done.isFinished()).isTrue();
    assertThat(List.of(done.selected(), done.processed(), done.failed(), done.waiting()))
        .containsExactly(1L, 1L, 0L, 0L);
    assertThat(inbox.receive(poison, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
  }

  @Tag("essential")
  @Test
  void askingTwiceHandlesOnce() {
    quarantine(3);

    assertThat(redrive(Selection.all()).selected()).isEqualTo(3);
    assertThat(quarantine.redrive(Selection.all(), FAST)).isEmpty();
    redriver(InboxDatabase::effect).runOnce();
    assertThat(quarantine.redrive(Selection.all(), FAST)).isEmpty();
    redriver(InboxDatabase::effect).runOnce();

    assertThat(database.effects()).hasSize(3).doesNotHaveDuplicates();
  }

  @Test
  void aSelectionIsFrozen() {
    quarantine(2);
    Redrive redrive = redrive(Selection.all());
    quarantine(1);

    redriver(InboxDatabase::effect).runOnce();

    assertThat(progress(redrive).processed()).isEqualTo(2);
    assertThat(database.quarantined()).hasSize(1);
  }

  @Test
  void twoInstancesAtOnceHandleEachMessageOnceAndInOrder() {
    List<String> ids = quarantine(40);
    redrive(Selection.all());
    Inbox other = database.inbox("billing").build();

    start(redriver(InboxDatabase::effect));
    start(other.redriver(InboxDatabase::effect));

    await().atMost(PATIENCE).until(() -> database.quarantined().isEmpty());
    assertThat(database.effects()).isEqualTo(ids);
  }

  @Tag("essential")
  @Test
  void aFailureGoesBackToQuarantineWithItsNewErrorAndThoseBehindItGoOn() {
    List<String> ids = quarantine(3);
    Redrive redrive = redrive(Selection.all());

    redriver(
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              if (ids.get(1).equals(delivery.id())) {
                throw new UnprocessableException("Still no such customer");
              }
            })
        .runOnce();

    assertThat(database.effects()).containsExactly(ids.get(0), ids.get(2));
    SetAsideMessage back = quarantine.list(Selection.all()).get(0);
    assertThat(back.id()).isEqualTo(ids.get(1));
    assertThat(back.reason()).isEqualTo("unprocessable");
    assertThat(back.error()).contains("Still no such customer");
    assertThat(back.attempts()).isEqualTo(2);
    assertThat(back.redrive()).isNull();
    assertThat(progress(redrive).failed()).isEqualTo(1);
    assertThat(progress(redrive).isFinished()).isTrue();
    assertThat(redrive(Selection.all()).selected()).isEqualTo(1);
  }

  @Test
  void aRedriveIsNotFasterThanAskedFor() {
    quarantine(5);
    quarantine.redrive(Selection.all(), Act.by("ops").perSecond(0.01));

    InboxRedriver redriver = redriver(InboxDatabase::effect);
    assertThat(redriver.runOnce()).isEqualTo(1);
    assertThat(redriver.runOnce()).isZero();
    for (int due = 1; due <= 4; due++) {
      database.execute("update twinbox.inbox_redrive set next_at = clock_timestamp()");
      assertThat(redriver.runOnce()).isEqualTo(1);
    }
    assertThat(database.effects()).hasSize(5);
  }

  @Test
  void aMessageThatKillsItsProcessGoesBackAfterItsTries() {
    quarantine(2);
    redrive(Selection.all());
    Inbox patient =
        database
            .inbox("billing")
            .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(2))
            .build();
    for (int death = 1; death <= 2; death++) {
      dieInMidRedrive(patient);
      // It counts as dead when it has not begun its transaction for so long.
      database.execute(
          "update twinbox.inbox_dead_letter set claimed_at = claimed_at - interval '1 minute'");
    }

    patient.redriver(InboxDatabase::effect).runOnce();

    assertThat(database.effects()).hasSize(1);
    SetAsideMessage back = quarantine.list(Selection.all()).get(0);
    assertThat(back.error()).contains("process died");
    assertThat(back.attempts()).isEqualTo(3);
  }

  private static void dieInMidRedrive(Inbox inbox) {
    assertThatThrownBy(
            () ->
                inbox
                    .redriver(
                        (delivery, work) -> {
                          work.dsl().execute("select pg_terminate_backend(pg_backend_pid())");
                        })
                    .runOnce())
        .isInstanceOf(DatabaseUnavailableException.class);
  }

  @Test
  void anOutageOfTheDatabaseInMidRedriveCountsNothingAndItGoesOnByItself() throws Exception {
    quarantine(1);
    FaultProxy proxy = database.proxy();
    toClose.add(proxy);
    Inbox behindProxy =
        Inbox.builder()
            .dataSource(database.through(proxy))
            .consumer("billing")
            .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(1))
            .build();
    AtomicInteger calls = new AtomicInteger();
    start(
        behindProxy.redriver(
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              if (calls.incrementAndGet() <= 2) {
                proxy.cut();
              }
            }));
    redrive(Selection.all());

    await().atMost(PATIENCE).until(() -> database.quarantined().isEmpty());
    assertThat(database.effects()).hasSize(1);
    assertThat(calls).hasValue(3);
  }

  @Test
  void aRefusedMessageBeyondTheHorizonNeedsTheOperatorsWord() {
    inbox.receive(delivery(), InboxDatabase::effect); // registers the consumer
    registeredDaysAgo(30);
    Inbox experienced = database.inbox("billing").build();
    Delivery outside = delivery(Messages.id(Instant.now().minus(Duration.ofDays(20))));
    experienced.receive(outside, InboxDatabase::effect);
    assertThat(database.quarantined()).containsExactly("older-than-dedup-horizon");

    assertThatThrownBy(() -> quarantine.redrive(Selection.all(), FAST))
        .isInstanceOf(BeyondHorizonException.class)
        .hasMessageContaining("1 of 1 messages");
    assertThat(quarantine.preview(Selection.all()).count()).isEqualTo(1);

    quarantine.redrive(Selection.all(), FAST.evenBeyondHorizon());
    experienced.redriver(InboxDatabase::effect).runOnce();
    assertThat(database.effects()).contains(outside.id());

    // The broker delivers it again, and again somebody asks for it: it is known.
    experienced.receive(outside, InboxDatabase::effect);
    quarantine.redrive(Selection.all(), FAST.evenBeyondHorizon());
    experienced.redriver(InboxDatabase::effect).runOnce();
    quarantine.pass(Selection.all(), Act.by("ops"));
    assertThat(experienced.receive(outside, InboxDatabase::effect).settled()).isTrue();
    assertThat(database.effects()).containsOnlyOnce(String.valueOf(outside.id()));
    assertThat(database.texts("select action from twinbox.inbox_audit order by number"))
        .containsExactly("redrive beyond the horizon", "redrive beyond the horizon", "pass");
  }

  @Test
  void aPassAndARedriveOfOneMessageLetItTakeEffectOnce() throws Exception {
    Delivery poison = delivery();
    inbox.receive(poison, POISON);
    quarantine.pass(Selection.all(), Act.by("ops"));
    redrive(Selection.all());
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    AtomicBoolean duplicate = new AtomicBoolean();
    Thread redriving =
        new Thread(
            () ->
                redriver(
                        (delivery, work) -> {
                          InboxDatabase.effect(delivery, work);
                          handling.countDown();
                          goOn.await();
                        })
                    .runOnce());
    redriving.start();
    assertThat(handling.await(30, TimeUnit.SECONDS)).isTrue();
    Thread delivering =
        new Thread(
            () ->
                duplicate.set(
                    inbox.receive(poison.again(), InboxDatabase::effect)
                        instanceof Receipt.Duplicate));
    delivering.start();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                database.count(
                        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and"
                            + " datname = current_database()")
                    == 1);
    goOn.countDown();
    redriving.join(30_000);
    delivering.join(30_000);

    assertThat(duplicate).isTrue();
    assertThat(database.effects()).containsExactly(poison.id());
    assertThat(database.quarantined()).isEmpty();
  }

  @Test
  void whatLiesThereWithoutAnIdOrForAnotherReasonCanBeRedrivenOnce() {
    Inbox choosy = database.inbox("choosy").expectDestinations("kafka:mails").build();
    Delivery stray = delivery();
    Delivery nameless = delivery(null);
    Delivery expired = Messages.expiring(Messages.id(), Instant.now().minusSeconds(1));
    List<Delivery> all = List.of(stray, nameless, expired);
    choosy.receiveAll(all, InboxDatabase::effect);
    assertThat(database.quarantined()).containsExactly("wrong-destination", "no-id", "expired");

    quarantine.redrive(Selection.all(), FAST);
    choosy.redriver(InboxDatabase::effect).runOnce();
    choosy.receiveAll(all, InboxDatabase::effect); // their acknowledgements were lost
    List<Redrive> again = quarantine.redrive(Selection.all(), FAST);
    choosy.redriver(InboxDatabase::effect).runOnce();

    assertThat(database.effects()).hasSize(3).doesNotHaveDuplicates();
    assertThat(again).isNotEmpty();
    assertThat(progress(again.get(0)).processed()).isZero();
    assertThat(database.quarantined()).isEmpty();
  }

  @Test
  void aStoppedRedriveLeavesTheRestInQuarantine() {
    quarantine(3);
    Redrive redrive = quarantine.redrive(Selection.all(), Act.by("ops").perSecond(0.01)).get(0);
    InboxRedriver redriver = redriver(InboxDatabase::effect);
    redriver.runOnce();

    assertThat(quarantine.stopRedrive(redrive.number(), "ops")).isEqualTo(2);
    database.execute("update twinbox.inbox_redrive set next_at = clock_timestamp()");
    redriver.runOnce();

    assertThat(database.effects()).hasSize(1);
    assertThat(quarantine.preview(Selection.all()).count()).isEqualTo(2);
    assertThat(progress(redrive).isFinished()).isTrue();
  }

  @Test
  void closingInterruptsAHandlerWithoutHoldingItAgainstItsMessage() throws Exception {
    quarantine(1);
    CountDownLatch handling = new CountDownLatch(1);
    InboxRedriver closing =
        redriver(
            (delivery, work) -> {
              handling.countDown();
              new CountDownLatch(1).await();
            });
    closing.start();
    redrive(Selection.all());
    assertThat(handling.await(30, TimeUnit.SECONDS)).isTrue();

    closing.close(Duration.ofMillis(100));

    await().atMost(PATIENCE).until(() -> redriver(InboxDatabase::effect).runOnce() == 1);
    assertThat(database.effects()).hasSize(1);
  }

  @Test
  void aHandlerThatHangsIsInterruptedAndItsMessageGoesBack() {
    quarantine(1);
    Inbox strict =
        database
            .inbox("billing")
            .handlerTimeLimit(Duration.ofSeconds(1))
            .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(1))
            .build();
    start(strict.redriver((delivery, work) -> new CountDownLatch(1).await()));
    Redrive redrive = redrive(Selection.all());

    await().atMost(PATIENCE).until(() -> progress(redrive).failed() == 1);
    assertThat(quarantine.list(Selection.all()).get(0).error()).contains("InterruptedException");
  }

  /** Puts new messages into quarantine; returns their ids. */
  private List<String> quarantine(int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Delivery poison = delivery(Messages.id(), "key");
      inbox.receive(poison, POISON);
      ids.add(String.valueOf(poison.id()));
    }
    return ids;
  }

  private InboxRedriver redriver(Handler handler) {
    return inbox.redriver(handler);
  }

  private void start(InboxRedriver redriver) {
    toClose.add(redriver);
    redriver.start();
  }

  private Redrive redrive(Selection selection) {
    return quarantine.redrive(selection, FAST).get(0);
  }

  private Redrive progress(Redrive redrive) {
    return quarantine.redriveProgress(redrive.number()).orElseThrow();
  }

  private void registeredDaysAgo(int days) {
    database.execute(
        """
        update twinbox.inbox_consumer set registered_at = registered_at - interval '%1$s days',
          refuses_from = refuses_from - interval '%1$s days',
          kept_from = kept_from - interval '%1$s days'\
        """
            .formatted(days));
  }
}
