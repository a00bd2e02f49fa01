package dev.twinbox.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.testkit.TestPostgres;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is true of every broker's consumer. Each test has a topic or queue and a database. */
public abstract class ConsumerContract {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Duration AT_ONCE = Duration.ofMillis(200);
  private static final int BATCH = 20;

  private final List<AutoCloseable> toClose = new ArrayList<>();
  private EffectDatabase database;
  private SourceUnderTest source;
  private Inbox inbox;

  /** A new topic or queue; the contract closes it. */
  protected abstract SourceUnderTest newSource();

  @BeforeEach
  void prepare() {
    source = newSource();
    toClose.add(source);
    database = new EffectDatabase(TestPostgres.shared());
    inbox = inbox(database);
  }

  @AfterEach
  void close() throws Exception {
    for (int i = toClose.size() - 1; i >= 0; i--) {
      toClose.get(i).close();
    }
  }

  @Tag("essential")
  @Test
  void repeatedMessagesChangeNothingAndAKeyKeepsItsOrder() throws Exception {
    Map<String, List<String>> sent = new LinkedHashMap<>();
    for (int i = 0; i < 300; i++) {
      String key = "k" + i % 7;
      String id = send(key);
      sent.computeIfAbsent(key, ignored -> new ArrayList<>()).add(id);
      if (i % 10 == 0) {
        source.send(new SentMessage(id, key));
      }
    }

    AutoCloseable consumer = consume(EffectDatabase::effect);
    awaitEffects(300);
    consumer.close();
    settleTheRest();

    assertThat(database.effects()).hasSize(300).doesNotHaveDuplicates();
    sent.forEach((key, ids) -> assertThat(database.effects(key)).isEqualTo(ids));
  }

  @Test
  void nothingIsSettledBeforeTheDatabaseHasCommitted() throws Exception {
    String id = send("k");
    CountDownLatch handling = new CountDownLatch(1);
    AutoCloseable consumer =
        consume(
            (delivery, work) -> {
              EffectDatabase.effect(delivery, work);
              handling.countDown();
              new CountDownLatch(1).await();
            },
            AT_ONCE);
    assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

    consumer.close(); // gives up on the handler, which rolls back

    assertThat(database.effects()).isEmpty();
    assertThat(source.unsettled()).isEqualTo(1);
    consume(EffectDatabase::effect);
    awaitEffects(1);
    assertThat(database.effects()).containsExactly(id);
  }

  @Test
  void whatWasCommittedButNotSettledIsRecognisedAndSettled() throws Exception {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < BATCH; i++) {
      ids.add(send("k"));
    }
    inbox.receiveAll(source.takeWithoutSettling(BATCH), EffectDatabase::effect);
    ids.add(send("k"));

    AutoCloseable consumer = consume(EffectDatabase::effect);
    awaitEffects(BATCH + 1);
    consumer.close();

    assertThat(database.effects()).isEqualTo(ids);
    assertThat(source.unsettled()).isZero();
  }

  @Test
  void aFailedMessageIsTriedAgainBeforeThoseBehindItOfItsKey() throws Exception {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      ids.add(send("k"));
    }
    AtomicInteger failures = new AtomicInteger();
    AutoCloseable consumer =
        consume(
            (delivery, work) -> {
              EffectDatabase.effect(delivery, work);
              // In the batch and once more alone: one counted failure.
              if (ids.get(3).equals(delivery.id()) && failures.incrementAndGet() <= 2) {
                throw new IllegalStateException("Not yet");
              }
            });

    awaitEffects(10);
    consumer.close();

    assertThat(database.effects()).isEqualTo(ids);
    assertThat(database.failing()).isZero();
    assertThat(source.unsettled()).isZero();
  }

  @Test
  void aMessageThatKeepsFailingIsQuarantinedAndItsKeyGoesOn() throws Exception {
    String poison = send("a");
    List<String> behind = List.of(send("a"), send("a"));
    List<String> others = List.of(send("b"), send("b"));
    AutoCloseable consumer =
        consume(
            (delivery, work) -> {
              EffectDatabase.effect(delivery, work);
              if (poison.equals(delivery.id())) {
                throw new IllegalStateException("Poison");
              }
            });

    awaitEffects(4);
    consumer.close();

    assertThat(database.quarantined()).containsExactly("attempts-exhausted");
    assertThat(database.effects("a")).isEqualTo(behind);
    assertThat(database.effects("b")).isEqualTo(others);
    assertThat(source.unsettled()).isZero();
  }

  @Tag("essential")
  @Test
  void aMessageWithoutAnIdIsQuarantinedAndTheStreamGoesOn() throws Exception {
    source.send(new SentMessage(null, "k"));
    String good = send("k");

    AutoCloseable consumer = consume(EffectDatabase::effect);
    awaitEffects(1);
    consumer.close();

    assertThat(database.quarantined()).containsExactly("no-id");
    assertThat(database.effects()).containsExactly(good);
    assertThat(source.unsettled()).isZero();
  }

  /** Programs that count from 1 and name no source are told apart by their topic or queue. */
  @Test
  void equalForeignIdsOfTwoSourcesAreTwoMessages() throws Exception {
    SourceUnderTest other = newSource();
    toClose.add(other);
    source.send(new SentMessage("1", null));
    other.send(new SentMessage("1", null));

    AutoCloseable consumer = consume(EffectDatabase::effect);
    AutoCloseable otherConsumer = other.consume(setup(EffectDatabase::effect, PATIENCE));
    awaitEffects(2);
    source.send(new SentMessage("1", null));
    source.send(new SentMessage("2", null));
    awaitEffects(3);
    consumer.close();
    otherConsumer.close();

    assertThat(database.effects()).containsExactly("1", "1", "2");
  }

  @Test
  void aHandlerThatHangsIsGivenUpAndItsMessageTriedAgain() {
    inbox =
        database
            .inbox()
            .handlerTimeLimit(Duration.ofSeconds(1))
            .backoff(Backoff.exponential(Duration.ofMillis(10)))
            .build();
    String id = send("k");
    AtomicInteger calls = new AtomicInteger();
    consume(
        (delivery, work) -> {
          EffectDatabase.effect(delivery, work);
          if (calls.incrementAndGet() == 1) {
            new CountDownLatch(1).await();
          }
        });

    awaitEffects(1);
    assertThat(database.effects()).containsExactly(id);
    assertThat(calls).hasValue(2);
  }

  @Test
  void anOutageOfTheDatabaseIsWaitedForAndNothingIsSettledMeanwhile() throws Exception {
    try (TestPostgres server = TestPostgres.start()) {
      database = new EffectDatabase(server);
      inbox = inbox(database);
      AutoCloseable consumer = consume(EffectDatabase::effect, AT_ONCE);
      List<String> ids = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        ids.add(send("k"));
      }
      awaitEffects(50);

      server.stopImmediately();
      for (int i = 0; i < 50; i++) {
        ids.add(send("k"));
      }
      TimeUnit.SECONDS.sleep(2); // long enough to fail some times
      consumer.close();
      assertThat(source.unsettled()).isEqualTo(50);
      AutoCloseable another = consume(EffectDatabase::effect);
      server.restart();

      awaitEffects(100);
      another.close();
      assertThat(database.effects()).isEqualTo(ids);
      assertThat(database.failing()).isZero();
      assertThat(source.unsettled()).isZero();
    }
  }

  @Test
  void aConsumerThatLosesWhatItHasFetchedLosesAndDoublesNothing() throws Exception {
    AutoCloseable consumer = consume(EffectDatabase::effect);
    int sent = 0;
    for (int round = 1; round <= 3; round++) {
      for (int i = 0; i < 100; i++) {
        send("k" + i % 5);
        sent++;
      }
      awaitEffects(sent - 90);
      source.disturb();
    }
    awaitEffects(sent);
    send("k");
    awaitEffects(sent + 1);
    consumer.close();

    assertThat(database.effects()).hasSize(sent + 1).doesNotHaveDuplicates();
    assertThat(source.unsettled()).isZero();
  }

  @Test
  void closingSettlesWhatWasHandledAndLeavesTheRest() throws Exception {
    CountDownLatch some = new CountDownLatch(30);
    CountDownLatch goOn = new CountDownLatch(1);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      ids.add(send("k"));
    }
    AutoCloseable consumer =
        consume(
            (delivery, work) -> {
              EffectDatabase.effect(delivery, work);
              some.countDown();
              if (some.getCount() == 0) {
                goOn.await(); // closing has begun, and waits for this batch
              }
            });
    assertThat(some.await(60, TimeUnit.SECONDS)).isTrue();

    Thread closing = new Thread(() -> closeQuietly(consumer));
    closing.start();
    await().during(Duration.ofMillis(300)).atMost(PATIENCE).until(closing::isAlive);
    goOn.countDown();
    closing.join(60_000);

    assertThat(closing.isAlive()).isFalse();
    int handled = database.effects().size();
    assertThat(handled).isBetween(30, 299);
    assertThat(source.unsettled()).isEqualTo(300 - handled);
    consume(EffectDatabase::effect);
    awaitEffects(300);
    assertThat(database.effects()).isEqualTo(ids);
  }

  private static Inbox inbox(EffectDatabase database) {
    return database
        .inbox()
        .backoff(Backoff.exponential(Duration.ofMillis(100)).giveUpAfter(3))
        .build();
  }

  private AutoCloseable consume(Handler handler) {
    return consume(handler, PATIENCE);
  }

  private AutoCloseable consume(Handler handler, Duration closeLimit) {
    AutoCloseable consumer = source.consume(setup(handler, closeLimit));
    toClose.add(consumer);
    return consumer;
  }

  private ConsumerSetup setup(Handler handler, Duration closeLimit) {
    return new ConsumerSetup(inbox.receiver(handler), BATCH, closeLimit);
  }

  private String send(@Nullable String key) {
    String id = version7();
    source.send(new SentMessage(id, key));
    return id;
  }

  private void awaitEffects(int count) {
    await().atMost(PATIENCE).ignoreExceptions().until(() -> database.effects().size() >= count);
  }

  /** The last of them repeat what has taken effect before. */
  private void settleTheRest() throws Exception {
    String last = send("last");
    AutoCloseable consumer =
        consume(
            (delivery, work) -> {
              if (!last.equals(delivery.id())) {
                EffectDatabase.effect(delivery, work);
              }
            });
    await().atMost(PATIENCE).until(() -> database.recorded(last));
    consumer.close();
    assertThat(source.unsettled()).isZero();
  }

  private static void closeQuietly(AutoCloseable consumer) {
    try {
      consumer.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static String version7() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    long high = Instant.now().toEpochMilli() << 16 | 0x7000 | random.nextInt(0x1000);
    long low = random.nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
    return new UUID(high, low).toString();
  }
}
