package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Handlers one after another, between whose transactions there is never a gap. */
class UpkeepUnderLoadTest {
  private static final int MOST_ROUNDS = 3;

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final AtomicBoolean enough = new AtomicBoolean();
  private final AtomicLong handled = new AtomicLong();
  private final AtomicLong longestNanos = new AtomicLong();

  @AfterEach
  void close() {
    database.close();
  }

  @ParameterizedTest
  @CsvSource({"8, 200", "4, 700"})
  void daysAreMadeAndDroppedInARoundAndHandlersWaitForOneAnotherOnly(int handlers, int millis)
      throws Exception {
    database.execute(
        "update twinbox.inbox_day set closed_at = clock_timestamp() - interval '2 hours'"
            + " where day in (select day from twinbox.inbox_day order by day limit 2)");
    ExecutorService threads = Executors.newFixedThreadPool(handlers);
    List<Future<?>> receiving = new ArrayList<>();
    for (int i = 0; i < handlers; i++) {
      receiving.add(threads.submit(() -> receive(millis)));
    }
    try {
      await().until(() -> handled.get() > handlers);

      // On a machine where a handler of 0.7 s takes 2 s, a round may come too early.
      int made = 0;
      int dropped = 0;
      for (int round = 0; round < MOST_ROUNDS && (made < 1 || dropped < 2); round++) {
        InboxUpkeep.Result result = inbox.upkeep().runOnce();
        made += result.daysMade();
        dropped += result.daysDropped();
      }

      assertThat(made).isEqualTo(1);
      assertThat(dropped).isEqualTo(2);
    } finally {
      enough.set(true);
      for (Future<?> each : receiving) {
        each.get(30, TimeUnit.SECONDS);
      }
      threads.shutdown();
    }
    assertThat(Duration.ofNanos(longestNanos.get()))
        .isLessThan(InboxUpkeep.MOST_PATIENCE.plusMillis(2L * millis));
  }

  @Test
  void theSpaceOfClosedDaysIsGivenBackThoughATransactionStaysOpen() throws Exception {
    String oldest =
        database.texts("select to_char(min(day), 'YYYYMMDD') from twinbox.inbox_day").get(0);
    database.execute(
        "insert into twinbox.inbox (message_id, consumer_id) select twinbox.inbox_bound("
            + "min(day)::timestamp at time zone 'UTC'), 1 from twinbox.inbox_day");
    database.execute(
        "update twinbox.inbox_day set closed_at = clock_timestamp() - interval '2 hours'"
            + " where day = (select min(day) from twinbox.inbox_day)");
    Thread held = new Thread(() -> receiveUntilEnough());
    held.start();
    await().until(() -> handled.get() > 0);

    assertThat(inbox.upkeep().runOnce().daysDropped()).isZero();

    assertThat(database.count("select pg_relation_size('twinbox.inbox_p" + oldest + "')")).isZero();
    enough.set(true);
    held.join(10_000);
    assertThat(inbox.upkeep().runOnce().daysDropped()).isEqualTo(1);
  }

  @Test
  void anInterruptOfTheDaemonEndsItNot() throws Exception {
    database.execute("drop function twinbox.inbox_restore_rows()");
    try (InboxUpkeep upkeep = inbox.upkeep()) {
      upkeep.start();
      Thread daemon =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread.getName().equals("twinbox-inbox-upkeep"))
              .findAny()
              .orElseThrow();
      daemon.interrupt(); // the first round, which fails, comes at once
      await().until(() -> daemon.getState() == Thread.State.TIMED_WAITING);
      daemon.interrupt();
      await()
          .during(Duration.ofMillis(500))
          .until(() -> daemon.getState() == Thread.State.TIMED_WAITING || daemon.isAlive());
      assertThat(daemon.isAlive()).isTrue();
      upkeep.close();
      daemon.join(10_000);
      assertThat(daemon.isAlive()).isFalse();
    }
  }

  @Test
  void theDoctorSaysSoBeforeTheDaysRunOut() throws SQLException {
    assertThat(found()).isEmpty();
    database.execute(
        "delete from twinbox.inbox_day where day > (now() at time zone 'UTC')::date + 1");
    assertThat(found()).containsExactly("inbox-day-missing");
    database.execute(
        "update twinbox.inbox_day set closed_at = clock_timestamp() - interval '30 hours'"
            + " where day = (select min(day) from twinbox.inbox_day)");
    assertThat(found()).containsExactly("inbox-day-missing", "inbox-day-not-dropped");
  }

  private List<String> found() {
    return inbox.examine().findings().stream()
        .filter(finding -> finding.check() != null)
        .map(finding -> finding.check().code())
        .filter(code -> code.startsWith("inbox-"))
        .toList();
  }

  private void receive(int millis) {
    while (!enough.get()) {
      long began = System.nanoTime();
      inbox.receive(
          delivery(),
          (delivery, work) -> {
            InboxDatabase.effect(delivery, work);
            Thread.sleep(millis);
          });
      long took = System.nanoTime() - began;
      longestNanos.accumulateAndGet(took, Math::max);
      handled.incrementAndGet();
    }
  }

  private void receiveUntilEnough() {
    inbox.receive(
        delivery(),
        (delivery, work) -> {
          handled.incrementAndGet();
          await().atMost(Duration.ofMinutes(2)).until(enough::get);
        });
  }
}
