package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Days are made and dropped beside handlers, in a large inbox. The server itself says who has
 * waited for a lock for more than 500 ms.
 */
class InboxVolumeTest {
  private static final int HANDLERS = 4;

  private final TestPostgres server =
      TestPostgres.builder()
          .setting("deadlock_timeout", "500ms")
          .setting("log_lock_waits", "on")
          .setting("shared_buffers", "256MB")
          .setting("max_wal_size", "4GB")
          .start();
  private final InboxDatabase database = InboxDatabase.on(server);
  private final Inbox inbox = database.inbox("billing").build();
  private final List<Long> latencies = Collections.synchronizedList(new ArrayList<>());

  @TempDir Path logs;

  @AfterEach
  void close() {
    database.close();
    server.close();
  }

  @Test
  void daysOfThreeHundredThousandRowsAreMadeAndDroppedBesideHandlers() throws Exception {
    daysComeAndGoBesideHandlers(300_000);
  }

  @Test
  @Tag("long")
  void daysOfTenMillionRowsAreMadeAndDroppedBesideHandlers() throws Exception {
    daysComeAndGoBesideHandlers(10_000_000);
  }

  private void daysComeAndGoBesideHandlers(int rows) throws Exception {
    fill(rows);
    AtomicBoolean enough = new AtomicBoolean();
    ExecutorService handlers = Executors.newFixedThreadPool(HANDLERS);
    try {
      List<Future<?>> receiving = new ArrayList<>();
      for (int i = 0; i < HANDLERS; i++) {
        receiving.add(handlers.submit(() -> receiveUntil(enough::get)));
      }
      int made = 0;
      for (int ahead = 5; ahead <= 24; ahead++) {
        made += repeat("select twinbox.inbox_make_days(%s)".formatted(ahead));
      }
      database.execute(
          "update twinbox.inbox_day set closed_at = clock_timestamp() - interval '2 hours' where"
              + " day < (clock_timestamp() at time zone 'UTC')::date");
      int dropped = 0;
      while (database.count("select count(*) from twinbox.inbox_day where closed_at is not null")
          > 0) {
        dropped += repeat("select count(twinbox.inbox_drop_day())");
      }
      int givenUp = besideAHandlerThatIsHeldOpen();
      enough.set(true);
      for (Future<?> each : receiving) {
        each.get(60, TimeUnit.SECONDS);
      }

      assertThat(made).isGreaterThanOrEqualTo(20);
      assertThat(dropped).isEqualTo(8);
      assertThat(givenUp).isEqualTo(40);
      assertThat(longWaits()).isEmpty();
      report(rows, made, dropped, givenUp);
    } finally {
      handlers.shutdownNow();
    }
  }

  /** Neither gets its lock, and nobody waits for long behind its tries. */
  private int besideAHandlerThatIsHeldOpen() throws InterruptedException {
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Thread held =
        new Thread(
            () ->
                inbox.receive(
                    delivery(),
                    (delivery, work) -> {
                      handling.countDown();
                      goOn.await();
                    }));
    held.start();
    assertThat(handling.await(10, TimeUnit.SECONDS)).isTrue();
    database.execute(
        "update twinbox.inbox_day set closed_at = clock_timestamp() - interval '2 hours' where day"
            + " = (clock_timestamp() at time zone 'UTC')::date + 20");
    int givenUp = 0;
    for (int attempt = 0; attempt < 20; attempt++) {
      givenUp += once("select twinbox.inbox_make_days(40)") < 0 ? 1 : 0;
      givenUp += once("select count(twinbox.inbox_drop_day())") < 0 ? 1 : 0;
    }
    goOn.countDown();
    held.join(10_000);
    return givenUp;
  }

  private void receiveUntil(BooleanSupplier enough) {
    while (!enough.getAsBoolean()) {
      long start = System.nanoTime();
      assertThat(inbox.receive(delivery(), InboxDatabase::effect))
          .isInstanceOf(Receipt.Processed.class);
      latencies.add(System.nanoTime() - start);
    }
  }

  /** Until the lock was to be had. */
  private int repeat(String function) {
    int result = once(function);
    while (result < 0) {
      result = once(function);
    }
    return result;
  }

  /** What the function returns; -1 when it has given way. */
  private int once(String function) {
    try {
      return (int) database.count(function);
    } catch (IllegalStateException e) {
      assertThat(e).rootCause().hasMessageContaining("lock timeout");
      return -1;
    }
  }

  private void fill(int rows) {
    inbox.receive(delivery(), InboxDatabase::effect);
    database.execute(
        """
        insert into twinbox.inbox (message_id, consumer_id)
        select (substr(twinbox.inbox_bound(clock_timestamp() - d * interval '1 day')::text, 1, 14)
            || '7' || substr(md5(d || ' ' || n), 1, 3) || '-8' || substr(md5(n || ' ' || d), 1, 3)
            || '-' || lpad(to_hex(n), 12, '0'))::uuid, 1
        from generate_series(0, 8) d cross join generate_series(1, %s) n\
        """
            .formatted(rows / 9 + 1));
    database.execute("vacuum analyze twinbox.inbox");
  }

  /** Waits of more than 500 ms for a lock on a table, as the server has logged them. */
  private List<String> longWaits() throws IOException {
    server.saveLogs(logs);
    try (var lines = Files.lines(logs.resolve("postgres.log"))) {
      return lines.filter(line -> line.contains("on relation")).toList();
    }
  }

  private void report(int rows, int made, int dropped, int givenUp) {
    List<Long> sorted = new ArrayList<>(latencies);
    Collections.sort(sorted);
    System.out.printf(
        Locale.ROOT,
        "%,d rows: %s days made, %s dropped, %s tries gave way to a held handler; %,d receives,"
            + " median %.1f ms, p99 %.1f ms, longest %.1f ms; lock waits above 500 ms: none%n",
        rows,
        made,
        dropped,
        givenUp,
        sorted.size(),
        millis(sorted.get(sorted.size() / 2)),
        millis(sorted.get(sorted.size() * 99 / 100)),
        millis(sorted.get(sorted.size() - 1)));
    assertThat(Duration.ofNanos(sorted.get(sorted.size() - 1))).isLessThan(Duration.ofSeconds(5));
  }

  private static double millis(long nanos) {
    return nanos / 1e6;
  }
}
