package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several threads, as several processes would. */
class ConcurrencyTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void close() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    database.close();
  }

  @Test
  void theSameIdAtTwoThreadsIsProcessedOnce() throws Exception {
    Delivery message = delivery();
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Future<Receipt> first = threads.submit(() -> inbox.receive(message, holding(handling, goOn)));
    assertThat(handling.await(10, TimeUnit.SECONDS)).isTrue();

    Future<Receipt> second = threads.submit(() -> inbox.receive(message, InboxDatabase::effect));
    awaitALockWait();
    goOn.countDown();

    assertThat(first.get(10, TimeUnit.SECONDS)).isInstanceOf(Receipt.Processed.class);
    assertThat(second.get(10, TimeUnit.SECONDS)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.effects()).containsExactly(message.id());
  }

  @Test
  void theSecondTakesOverWhenTheFirstRollsBack() throws Exception {
    Delivery message = delivery();
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Future<Receipt> first =
        threads.submit(
            () ->
                inbox.receive(
                    message,
                    (delivery, work) -> {
                      holding(handling, goOn).handle(delivery, work);
                      throw new IllegalStateException("After all not");
                    }));
    assertThat(handling.await(10, TimeUnit.SECONDS)).isTrue();

    Future<Receipt> second = threads.submit(() -> inbox.receive(message, InboxDatabase::effect));
    awaitALockWait();
    goOn.countDown();

    assertThat(first.get(10, TimeUnit.SECONDS)).isInstanceOf(Receipt.Failed.class);
    assertThat(second.get(10, TimeUnit.SECONDS)).isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(message.id());
  }

  @Test
  void twoConsumersOnOneDatabaseProcessTheSameIdOnceEach() {
    Inbox shipping = database.inbox("shipping").build();
    Delivery message = delivery();

    for (Inbox each : List.of(inbox, shipping, inbox, shipping)) {
      each.receive(
          message,
          (delivery, work) ->
              InboxDatabase.effect(delivery.id(), each.consumer(), work.connection()));
    }

    assertThat(database.texts("select by_whom from effect order by number"))
        .containsExactly("billing", "shipping");
  }

  @Test
  void aSerializationFailureIsRetriedWholeAndCountsNoAttempt() {
    List<Delivery> batch = List.of(delivery().again(), delivery().again());
    AtomicInteger runs = new AtomicInteger();

    List<Receipt> receipts =
        inbox.receiveAll(
            batch,
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              if (delivery.equals(batch.get(1)) && runs.incrementAndGet() <= 3) {
                work.dsl().execute("do $$ begin raise 'conflict' using errcode = '40001'; end $$");
              }
            });

    assertThat(receipts).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(batch.get(0).id(), batch.get(1).id());
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void aDeadlockIsRetriedAndCountsNoAttempt() throws Exception {
    database.execute("create table account (id int primary key, amount int)");
    database.execute("insert into account values (1, 0), (2, 0)");
    CyclicBarrier bothHoldOne = new CyclicBarrier(2);
    AtomicInteger runs = new AtomicInteger();

    Future<Receipt> one =
        threads.submit(() -> inbox.receive(delivery(), crossing(1, 2, bothHoldOne, runs)));
    Future<Receipt> two =
        threads.submit(() -> inbox.receive(delivery(), crossing(2, 1, bothHoldOne, runs)));

    assertThat(one.get(30, TimeUnit.SECONDS)).isInstanceOf(Receipt.Processed.class);
    assertThat(two.get(30, TimeUnit.SECONDS)).isInstanceOf(Receipt.Processed.class);
    assertThat(runs).hasValueGreaterThan(2);
    assertThat(database.count("select sum(amount) from account")).isEqualTo(4);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void batchesOfTheSameIdsInOppositeOrdersDoNotDeadlock() throws Exception {
    inbox.receive(delivery(), InboxDatabase::effect); // registers the consumer
    long before = deadlocks();
    List<Delivery> up = Stream.generate(() -> delivery()).limit(3).toList();
    List<Delivery> down = List.of(up.get(2), up.get(1), up.get(0));
    List<Future<List<Receipt>>> both = new ArrayList<>();
    // A third session holds the id in the middle until both batches have their first and wait.
    try (Connection third = database.dataSource().getConnection();
        Statement statement = third.createStatement()) {
      third.setAutoCommit(false);
      statement.execute(
          "insert into twinbox.inbox (message_id, consumer_id)"
              + " select '%s', consumer_id from twinbox.inbox_consumer".formatted(up.get(1).id()));
      for (List<Delivery> batch : List.of(up, down)) {
        both.add(threads.submit(() -> inbox.receiveAll(batch, InboxDatabase::effect)));
      }
      awaitLockWaits(2);
      third.rollback();
    }
    for (Future<List<Receipt>> receipts : both) {
      assertThat(receipts.get(30, TimeUnit.SECONDS)).allMatch(Receipt::settled);
    }

    assertThat(database.effects()).hasSize(4).doesNotHaveDuplicates();
    assertThat(deadlocks()).isEqualTo(before);
  }

  private long deadlocks() {
    // Statistics of other sessions arrive when those go idle: both batches are done by now.
    return database.count(
        "select deadlocks from pg_stat_database where datname = current_database()");
  }

  private void awaitALockWait() {
    awaitLockWaits(1);
  }

  private void awaitLockWaits(int sessions) {
    await()
        .until(
            () ->
                database.count(
                        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                            + " and datname = current_database()")
                    == sessions);
  }

  private static Handler holding(CountDownLatch handling, CountDownLatch goOn) {
    return (delivery, work) -> {
      InboxDatabase.effect(delivery, work);
      handling.countDown();
      assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
    };
  }

  private static Handler crossing(
      int first, int second, CyclicBarrier bothHoldOne, AtomicInteger runs) {
    AtomicInteger ownRuns = new AtomicInteger();
    return (delivery, work) -> {
      runs.incrementAndGet();
      work.dsl().execute("update account set amount = amount + 1 where id = ?", first);
      if (ownRuns.incrementAndGet() == 1) {
        bothHoldOne.await(10, TimeUnit.SECONDS);
      }
      work.dsl().execute("update account set amount = amount + 1 where id = ?", second);
    };
  }
}
