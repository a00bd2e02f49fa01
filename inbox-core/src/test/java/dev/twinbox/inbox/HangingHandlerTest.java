package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Handlers that do not end by themselves, and errors that are not what they look like. */
@Timeout(60)
class HangingHandlerTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox =
      database.inbox("billing").handlerTimeLimit(Duration.ofSeconds(1)).build();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void theNeighboursOfAnInterruptedHandlerAreNotCountedWithIt() throws Exception {
    List<Delivery> batch = List.of(delivery(), delivery(), delivery(), delivery());
    Semaphore hanging = new Semaphore(0);
    Handler handler =
        (delivery, work) -> {
          if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedException("Not meant for me");
          }
          InboxDatabase.effect(delivery, work);
          if (delivery == batch.get(1)) {
            hanging.release();
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt(); // as one does
              throw new IllegalStateException("Interrupted", e);
            }
          }
        };
    BlockingQueue<List<Receipt>> received = new LinkedBlockingQueue<>();
    AtomicBoolean flag = new AtomicBoolean();
    Thread receiver =
        new Thread(
            () -> {
              List<Receipt> receipts = inbox.receiveAll(batch, handler);
              flag.set(Thread.currentThread().isInterrupted());
              received.add(receipts);
            });
    receiver.start();
    for (int run = 1; run <= 2; run++) { // in the batch, then alone
      assertThat(hanging.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
      receiver.interrupt();
    }

    List<Receipt> receipts = received.poll(30, TimeUnit.SECONDS);
    assertThat(receipts).isNotNull();
    assertThat(receipts.get(0)).isInstanceOf(Receipt.Processed.class);
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Failed.class);
    assertThat(receipts.subList(2, 4)).hasOnlyElementsOfType(Receipt.Held.class);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isEqualTo(1);
    assertThat(flag).isTrue();
  }

  @Test
  void aHandlerInterruptedBecauseItsConsumerClosesIsNotCounted() throws Exception {
    List<Delivery> batch = List.of(delivery().again(), delivery().again());
    AtomicBoolean goOn = new AtomicBoolean(true);
    List<Delivery> handled = new ArrayList<>();
    Thread receiver = Thread.currentThread();

    List<Receipt> receipts =
        inbox.receiveAll(
            batch,
            (delivery, work) -> {
              handled.add(delivery);
              goOn.set(false);
              receiver.interrupt();
              new CountDownLatch(1).await();
            },
            goOn::get);

    assertThat(Thread.interrupted()).isTrue();
    assertThat(receipts).hasSize(2).hasOnlyElementsOfType(Receipt.Held.class);
    assertThat(handled).hasSize(1);
    // What was counted in advance does not lead to quarantine.
    Inbox strict =
        database
            .inbox("billing")
            .backoff(Backoff.exponential(Duration.ZERO).giveUpAfter(1))
            .build();
    assertThat(strict.receiveAll(batch, InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Processed.class);
  }

  @Test
  void aHandlerThatIdlesBeyondItsSessionIsCounted() {
    Receipt receipt =
        inbox.receive(
            delivery(),
            (delivery, work) -> {
              int session = work.dsl().fetchSingle("select pg_backend_pid()").into(int.class);
              await()
                  .atMost(Duration.ofSeconds(30))
                  .until(
                      () ->
                          database.count(
                                  "select count(*) from pg_stat_activity where pid = " + session)
                              == 0);
              work.dsl().selectOne().fetch();
            });

    assertThat(receipt)
        .isInstanceOfSatisfying(
            Receipt.Failed.class, failed -> assertThat(failed.attempts()).isEqualTo(1));
  }

  @Test
  void aHandlerThatHangsInsideAStatementIsEndedAndCounted() throws SQLException {
    try (Connection holder = database.dataSource().getConnection();
        Statement statement = holder.createStatement()) {
      statement.execute("select pg_advisory_lock(1)");

      Receipt receipt =
          inbox.receive(
              delivery(), (delivery, work) -> work.dsl().execute("select pg_advisory_lock(1)"));

      assertThat(receipt).isInstanceOf(Receipt.Failed.class);
      statement.execute("select pg_advisory_unlock(1)");
    }
  }

  @Test
  void aShorterStatementTimeoutOfTheRoleStays() {
    database.execute(
        "alter role postgres in database \"%s\" set statement_timeout = '700ms'"
            .formatted(database.texts("select current_database()").get(0)));
    AtomicReference<String> timeout = new AtomicReference<>();
    Inbox fresh = database.inbox("fresh").build();

    fresh.receiveAll(
        List.of(delivery(), delivery()),
        (delivery, work) ->
            timeout.set(work.dsl().fetchSingle("show statement_timeout").into(String.class)));

    assertThat(timeout).hasValue("700ms");
  }

  @Test
  void anotherDatabasesTroubleIsTheMessagesFailure() {
    for (String state : List.of("53300", "53100", "25006", "57P01", "40P01")) {
      assertThat(
              inbox.receive(
                  delivery(),
                  (delivery, work) -> {
                    throw new SQLException("Of another database", state);
                  }))
          .as(state)
          .isInstanceOf(Receipt.Failed.class);
    }
  }

  @Test
  void aFullDiskIsWaitedForButNotForEver() {
    Delivery message = delivery();
    Handler full =
        (delivery, work) ->
            work.dsl().execute("do $$ begin raise 'full' using errcode = '53100'; end $$");

    assertThatThrownBy(() -> inbox.receive(message, full))
        .isInstanceOf(DatabaseUnavailableException.class);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();

    await()
        .ignoreException(DatabaseUnavailableException.class)
        .until(() -> inbox.receive(message, full) instanceof Receipt.Failed);
  }
}
