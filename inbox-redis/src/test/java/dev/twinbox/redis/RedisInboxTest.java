package dev.twinbox.redis;

import static dev.twinbox.inbox.Messages.delivery;
import static dev.twinbox.inbox.Messages.expiring;
import static dev.twinbox.inbox.Messages.id;
import static dev.twinbox.redis.InboxFixture.receive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.BackgroundWork;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.QuarantineReason;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.UnknownType;
import dev.twinbox.inbox.UnprocessableException;
import dev.twinbox.setaside.SetAsideMessage;
import dev.twinbox.testkit.TestRedis;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class RedisInboxTest {
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt DUPLICATE = new Receipt.Duplicate();

  private static TestRedis redis;
  private InboxFixture fixture;

  @BeforeAll
  static void start() {
    redis = TestRedis.start();
  }

  @AfterAll
  static void stop() {
    redis.close();
  }

  @BeforeEach
  void open() {
    fixture = new InboxFixture(redis);
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  @Tag("essential")
  void aMessageTakesEffectOnceHoweverOftenItIsDelivered() {
    Receiver receiver = fixture.counting();
    Delivery delivery = delivery();

    assertThat(receive(receiver, List.of(delivery, delivery)))
        .containsExactly(PROCESSED, DUPLICATE);
    assertThat(receive(receiver, delivery.again())).isEqualTo(DUPLICATE);
    assertThat(receive(fixture.counting(), delivery.again())).isEqualTo(DUPLICATE);
    assertThat(fixture.effects(delivery)).isEqualTo("1");
  }

  @Test
  void aFailingHandlerLeavesNothingAndIsTriedAgainUntilItIsQuarantined() {
    Receiver receiver =
        fixture
            .inbox()
            .build()
            .exactlyOnceInRedis(
                (delivery, work) -> {
                  fixture.count(delivery, work);
                  throw new IllegalStateException("no");
                });
    Delivery delivery = delivery();

    assertThat(receive(receiver, delivery))
        .isInstanceOfSatisfying(
            Receipt.Failed.class,
            failed -> {
              assertThat(failed.attempts()).isEqualTo(1);
              assertThat(failed.retryAfter()).isPositive();
            });
    assertThat(receive(receiver, delivery.again())).isInstanceOf(Receipt.Failed.class);
    assertThat(receive(receiver, delivery.again()))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 3));
    assertThat(receive(receiver, delivery.again())).isEqualTo(DUPLICATE);
    assertThat(fixture.effects(delivery)).isEqualTo("null");
    assertThat(fixture.inbox().build().quarantine().list(10))
        .singleElement()
        .satisfies(
            kept -> {
              assertThat(kept.id()).isEqualTo(delivery.id());
              assertThat(kept.payload()).isEqualTo(delivery.payload());
              assertThat(kept.error()).contains("IllegalStateException: no");
              assertThat(kept.attempts()).isEqualTo(3);
            });
  }

  @Test
  void whatIsInWorkElsewhereIsHeldWithTheTimeThatIsLeft() {
    Delivery delivery = delivery();
    List<Receipt> other = new ArrayList<>();
    Receiver receiver =
        fixture
            .inbox()
            .lease(Duration.ofSeconds(3))
            .build()
            .atLeastOnce((d, work) -> other.add(receive(fixture.counting(), delivery)));

    assertThat(receive(receiver, delivery)).isEqualTo(PROCESSED);
    assertThat(other)
        .singleElement()
        .isInstanceOfSatisfying(
            Receipt.Held.class,
            held ->
                assertThat(held.retryAfter())
                    .isBetween(Duration.ofMillis(1), Duration.ofSeconds(3)));
  }

  @Test
  void anOwnerWhoseLeaseHasEndedChangesNothingInRedis() {
    Delivery delivery = delivery();
    List<Long> fences = new ArrayList<>();
    List<Receipt> others = new ArrayList<>();
    Receiver other =
        fixture
            .inbox()
            .build()
            .exactlyOnceInRedis(
                (d, work) -> {
                  fences.add(work.fence());
                  fixture.count(d, work);
                });
    Receiver late =
        fixture
            .inbox()
            .build()
            .exactlyOnceInRedis(
                (d, work) -> {
                  fences.add(work.fence());
                  fixture.count(d, work);
                  endLease(d);
                  others.add(receive(other, d));
                });

    assertThat(receive(late, delivery)).isInstanceOf(Receipt.Held.class);
    assertThat(others).containsExactly(PROCESSED);
    assertThat(fixture.effects(delivery)).isEqualTo("1");
    assertThat(fences.get(1)).isGreaterThan(fences.get(0));
    assertThat(receive(late, delivery)).isEqualTo(DUPLICATE);
  }

  @Test
  void aFirstCommandThatFailsWritesNothingAndHoldsTheKey() {
    AtomicBoolean broken = new AtomicBoolean(true);
    fixture.client.set("text" + fixture.consumer, "x");
    Receiver receiver =
        fixture
            .inbox()
            .build()
            .exactlyOnceInRedis(
                (d, work) -> {
                  if (broken.getAndSet(false)) {
                    work.commands().call("LPUSH", "text" + fixture.consumer, "y");
                  }
                  fixture.count(d, work);
                });
    List<Delivery> deliveries =
        List.of(delivery(id(), "k"), delivery(id(), "k"), delivery(id(), "other"));

    List<Receipt> receipts = receive(receiver, deliveries);
    assertThat(receipts.get(0))
        .isInstanceOfSatisfying(
            Receipt.Failed.class,
            failed -> assertThat(failed.error()).hasMessageContaining("WRONGTYPE"));
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Held.class);
    assertThat(receipts.get(2)).isEqualTo(PROCESSED);
    assertThat(fixture.effects(deliveries.get(0))).isEqualTo("null");
    assertThat(fixture.effects(deliveries.get(1))).isEqualTo("null");

    assertThat(receive(receiver, deliveries)).containsExactly(PROCESSED, PROCESSED, DUPLICATE);
  }

  @Test
  void commandsThatWereExecutedInPartAreNotExecutedAgain() {
    fixture.client.set("text" + fixture.consumer, "x");
    Receiver receiver =
        fixture
            .inbox()
            .build()
            .exactlyOnceInRedis(
                (d, work) -> {
                  fixture.count(d, work);
                  work.commands().call("LPUSH", "text" + fixture.consumer, "y");
                });
    Delivery delivery = delivery();

    assertThat(receive(receiver, delivery))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.TRANSACTION_ENDED, 1));
    assertThat(receive(receiver, delivery.again())).isEqualTo(DUPLICATE);
    assertThat(fixture.effects(delivery)).isEqualTo("1");
    assertThat(fixture.inbox().build().quarantine().list(1).get(0).error())
        .contains("command 2", "WRONGTYPE");
  }

  @Test
  void whatWasExecutedInPartWhenItsProcessDiedIsQuarantinedByTheNext() {
    Delivery delivery = delivery();
    fixture.client.set(fixture.key(delivery), "X:5:1:command 2 of 2: WRONGTYPE");

    assertThat(receive(fixture.counting(), delivery.again()))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.TRANSACTION_ENDED, 1));
    assertThat(receive(fixture.counting(), delivery.again())).isEqualTo(DUPLICATE);
  }

  @Test
  void whatFollowsAFailedOneOfItsKeyIsHeldAndTheOthersGoOn() {
    Delivery bad = delivery(id(), "k");
    Delivery behind = delivery(id(), "k");
    Delivery keyless = delivery();
    MessageHandler<RedisWork> handler =
        (d, work) -> {
          if (d.equals(bad)) {
            throw new IllegalStateException("no");
          }
          fixture.count(d, work);
        };
    List<Receipt> receipts =
        receive(fixture.inbox().build().exactlyOnceInRedis(handler), List.of(bad, behind, keyless));
    assertThat(receipts.get(0)).isInstanceOf(Receipt.Failed.class);
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Held.class);
    assertThat(receipts.get(2)).isEqualTo(PROCESSED);

    assertThat(
            receive(
                fixture.inbox().mayOvertake().build().exactlyOnceInRedis(handler),
                List.of(bad.again(), behind)))
        .last()
        .isEqualTo(PROCESSED);
  }

  @Test
  void aMessageThatKillsItsProcessIsQuarantinedAndItsNeighboursAreNotCountedWithIt() {
    Delivery killer = delivery(id(), "a");
    Delivery neighbour = delivery(id(), "b");
    Receiver receiver = fixture.counting();
    // As if the process had died in each of three attempts.
    fixture.client.set(fixture.key(killer), "L:5:1:3");

    List<Receipt> receipts = receive(receiver, List.of(neighbour, killer.again()));
    assertThat(receipts)
        .containsExactly(
            PROCESSED, new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 3));
    assertThat(fixture.effects(killer)).isEqualTo("null");
  }

  @Test
  void refusedMessagesAreQuarantinedWithTheirReason() {
    Receiver receiver =
        fixture
            .inbox()
            .expectDestinations("kafka:orders")
            .build()
            .exactlyOnceInRedis(fixture::count);
    assertThat(receive(receiver, delivery(null)))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.NO_ID, 0));
    Delivery late = expiring(id(), Instant.now().minusSeconds(60));
    assertThat(receive(receiver, late)).isEqualTo(new Receipt.Expired());
    Delivery elsewhere =
        Delivery.builder().id(id()).destination("kafka:other").origin("test:1").build();
    assertThat(receive(receiver, elsewhere))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.WRONG_DESTINATION, 0));
    assertThat(fixture.inbox().build().quarantine().list(10))
        .extracting(SetAsideMessage::reason)
        .containsExactly("no-id", "expired", "wrong-destination");
    assertThat(fixture.effects(late)).isEqualTo("null");
  }

  @Test
  void anIdOlderThanTheHorizonIsRefusedUnlessTheConsumerIsNew() {
    Duration horizon = Duration.ofHours(1);
    Delivery old = delivery(id(Instant.now().minus(horizon).minusSeconds(60)));
    Receiver young = fixture.inbox().horizon(horizon).build().exactlyOnceInRedis(fixture::count);
    assertThat(receive(young, old)).isEqualTo(PROCESSED);

    String row = "twinbox:{" + fixture.consumer + "}:consumer";
    fixture.client.hset(row, "since", "1000");
    Receiver grown = fixture.inbox().horizon(horizon).build().exactlyOnceInRedis(fixture::count);
    Delivery other = delivery(id(Instant.now().minus(horizon).minusSeconds(60)));
    assertThat(receive(grown, other))
        .isEqualTo(new Receipt.Refused(QuarantineReason.OLDER_THAN_DEDUP_HORIZON));
    assertThat(receive(grown, delivery(id(Instant.now().minus(horizon).plusSeconds(60)))))
        .isEqualTo(PROCESSED);
    assertThat(fixture.effects(other)).isEqualTo("null");
  }

  @Test
  void aLongerHorizonHoldsOnlyOnceRecordsAreKeptForIt() {
    String row = "twinbox:{" + fixture.consumer + "}:consumer";
    assertThat(kept(Duration.ofHours(1))).isEqualTo(Duration.ofHours(1));
    assertThat(kept(Duration.ofHours(2))).isEqualTo(Duration.ofHours(1));
    fixture.client.hset(row, "from", "1000");
    assertThat(kept(Duration.ofHours(2))).isEqualTo(Duration.ofHours(2));
    assertThat(kept(Duration.ofMinutes(1))).isEqualTo(Duration.ofMinutes(1));
  }

  private Duration kept(Duration horizon) {
    return fixture
        .inbox()
        .horizon(horizon)
        .build()
        .exactlyOnceInRedis(fixture::count)
        .keptFor()
        .orElseThrow();
  }

  @Test
  void recordsExpireAfterTheHorizon() {
    Delivery delivery = delivery();
    receive(fixture.counting(), delivery);
    long left = fixture.client.pttl(fixture.key(delivery));
    assertThat(Duration.ofMillis(left)).isBetween(Duration.ofDays(7), Duration.ofDays(8));
  }

  @Test
  void unknownTypesFollowThePolicy() {
    Delivery delivery = delivery();
    HandlersByType<RedisWork> none = HandlersByType.<RedisWork>builder().build();
    HandlersByType<RedisWork> ignoring =
        HandlersByType.<RedisWork>builder().unknown(UnknownType.IGNORE).build();
    HandlersByType<RedisWork> known =
        HandlersByType.<RedisWork>builder().on("order.placed", fixture::count).build();

    assertThat(receive(fixture.inbox().build().exactlyOnceInRedis(none), delivery()))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.UNKNOWN_TYPE, 1));
    assertThat(receive(fixture.inbox().build().exactlyOnceInRedis(ignoring), delivery()))
        .isEqualTo(PROCESSED);
    assertThat(receive(fixture.inbox().build().exactlyOnceInRedis(known), delivery))
        .isEqualTo(PROCESSED);
    assertThat(fixture.effects(delivery)).isEqualTo("1");
  }

  @Test
  void whatAnOperatorRedrivesIsHandledByTheRunningConsumer() throws Exception {
    AtomicBoolean broken = new AtomicBoolean(true);
    RedisInbox inbox = fixture.inbox().build();
    Receiver receiver =
        inbox.exactlyOnceInRedis(
            (d, work) -> {
              if (broken.get()) {
                throw new UnprocessableException("no");
              }
              fixture.count(d, work);
            });
    Delivery delivery = delivery();
    receive(receiver, delivery);
    long number = inbox.quarantine().list(1).get(0).number();
    broken.set(false);

    BackgroundWork background = receiver.backgroundWork();
    background.start();
    try {
      assertThat(inbox.quarantine().redrive(number)).isEqualTo(1);
      await().until(() -> inbox.quarantine().count() == 0);
    } finally {
      background.close(Duration.ofSeconds(10));
    }
    assertThat(fixture.effects(delivery)).isEqualTo("1");
    assertThat(receive(receiver, delivery.again())).isEqualTo(DUPLICATE);
  }

  @Test
  void aRedriveThatFailsWaitsForItsBackoff() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    RedisInbox inbox =
        fixture
            .inbox()
            .backoff(Backoff.exponential(Duration.ofHours(1)).upTo(Duration.ofHours(1)))
            .build();
    Receiver receiver =
        inbox.atLeastOnce(
            (d, work) -> {
              if (calls.getAndIncrement() == 0) {
                throw new UnprocessableException("no");
              }
              throw new IllegalStateException("not yet");
            });
    receive(receiver, delivery());
    BackgroundWork background = receiver.backgroundWork();
    background.start();
    try {
      inbox.quarantine().redrive(inbox.quarantine().list(1).get(0).number());
      await().until(() -> calls.get() == 2);
      await().during(Duration.ofSeconds(2)).until(() -> calls.get() == 2);
    } finally {
      background.close(Duration.ofSeconds(10));
    }
  }

  @Test
  void whatIsDiscardedIsGoneAndStaysRecorded() {
    RedisInbox inbox = fixture.inbox().build();
    Receiver receiver =
        inbox.atLeastOnce(
            (d, work) -> {
              throw new UnprocessableException("no");
            });
    Delivery delivery = delivery();
    receive(receiver, delivery);
    assertThat(inbox.quarantine().discard(inbox.quarantine().list(1).get(0).number())).isEqualTo(1);
    assertThat(inbox.quarantine().count()).isZero();
    assertThat(receive(receiver, delivery.again())).isEqualTo(DUPLICATE);
  }

  @Test
  void anIdTakesLessThan200Bytes() {
    Receiver plain = fixture.inbox().consumer("billing").build().atLeastOnce((d, work) -> {});
    receive(plain, delivery());
    long before = usedMemory();
    int count = 10_000;
    for (int batch = 0; batch < count / 500; batch++) {
      List<Delivery> deliveries = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        deliveries.add(delivery());
      }
      assertThat(receive(plain, deliveries)).containsOnly(PROCESSED);
    }
    long bytes = (usedMemory() - before) / count;
    assertThat(bytes).as("bytes an id").isBetween(50L, 200L);
  }

  private static long usedMemory() {
    return redis
        .cli("info", "memory")
        .lines()
        .filter(line -> line.startsWith("used_memory:"))
        .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(':') + 1).strip()))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void badDescriptionsAreRefused() {
    assertThatThrownBy(() -> fixture.inbox().consumer("a b").build()).hasMessageContaining("'a b'");
    assertThatThrownBy(() -> fixture.inbox().lease(Duration.ZERO)).hasMessageContaining("lease");
    assertThatThrownBy(() -> RedisInbox.builder().build()).hasMessageContaining("client(...)");
  }

  /** As if the owner had been frozen for longer than its lease. */
  private void endLease(Delivery delivery) {
    String record = fixture.client.get(fixture.key(delivery));
    String[] parts = record.split(":", 4);
    fixture.client.set(fixture.key(delivery), "L:" + parts[1] + ":1:" + parts[3]);
  }
}
