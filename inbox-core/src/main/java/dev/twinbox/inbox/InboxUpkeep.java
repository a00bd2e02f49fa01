package dev.twinbox.inbox;

import dev.twinbox.broker.Supervision;
import dev.twinbox.inbox.doctor.InboxExamination;
import java.sql.SQLException;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the inbox's tables in shape: makes the tables of the coming days, drops those beyond the
 * dedup horizon, purges what other producers' ids left behind, and makes the rows again without
 * which nothing works.
 *
 * <p>The consumers of this module run it; several may at once, one of them works. Handlers wait
 * behind its locks. So it waits for 20 ms, for a gap between their transactions; where they leave
 * none, for about as long as one of them lasts, at most {@link #MOST_PATIENCE}, or {@link
 * #URGENT_PATIENCE} when the last tables are in use. For a transaction that stays open for longer
 * it never waits; it gives way and comes back. Nothing is closed, dropped or purged while the clock
 * of the database, of this process, or of the producer of the newest id says that it is too early.
 *
 * <p>Thread-safe.
 */
public final class InboxUpkeep implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(InboxUpkeep.class);

  /** For how long handlers may wait for it at a time: 2 seconds. */
  public static final Duration MOST_PATIENCE = Duration.ofSeconds(2);

  /** The same when fewer than 2 days ahead have a table: 10 seconds. */
  public static final Duration URGENT_PATIENCE = Duration.ofSeconds(10);

  private static final int AHEAD_DAYS = 4;
  private static final int PURGED_AT_ONCE = 1_000;
  private static final Duration INTERVAL = Duration.ofMinutes(10);
  private static final Duration WORRYING_SKEW = Duration.ofHours(1);

  private final UpkeepStore store;
  private final UpkeepPatience patience;
  private @Nullable CountDownLatch closing;

  InboxUpkeep(DataSource dataSource, String schema) {
    store = new UpkeepStore(dataSource, schema);
    patience = new UpkeepPatience(store);
  }

  /** What a round did. */
  public record Result(int daysMade, int daysClosed, int daysDropped, int rowsPurged) {}

  /** The same, and whether anything was left to the next round. */
  private record Round(Result result, boolean busy) {}

  /**
   * One round, in the caller's thread. What another session's locks kept from being done is left to
   * the next round.
   *
   * @throws SQLException when the database failed or does not let this role call the functions
   */
  public Result runOnce() throws SQLException {
    return round().result();
  }

  private Round round() throws SQLException {
    int restored = store.restoreRows();
    if (restored > 0) {
      log.warn(
          "{} rows without which the inbox does not work were gone and are made again. The dedup"
              + " horizon may be the default's now: see inbox_retention",
          restored);
    }
    Duration most =
        store.outlook().daysAhead() < InboxExamination.FEW_DAYS ? URGENT_PATIENCE : MOST_PATIENCE;
    int made = 0;
    int dropped = 0;
    boolean busy = false;
    int closed = 0;
    int purged = 0;
    try {
      OptionalInt days = patience.call(wait -> store.makeDays(AHEAD_DAYS, wait), most);
      busy = days.isEmpty();
      made = days.orElse(0);
      closed = closeDays();
      OptionalInt day;
      do {
        day = patience.call(store::dropDay, MOST_PATIENCE);
        dropped += day.orElse(0);
      } while (day.orElse(0) > 0);
      busy |= day.isEmpty();
      if (day.isEmpty()) {
        empty();
      }
      purged = purge();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the caller's; the rest is left to the next round
      busy = true;
    }
    return new Round(new Result(made, closed, dropped, purged), busy);
  }

  private int closeDays() throws SQLException {
    int closed = store.closeDays();
    if (closed < 0) {
      log.warn(
          "{} days that were closed are open again: the database's clock was ahead when they were"
              + " closed, or the horizon was shorter",
          -closed);
    }
    return Math.max(0, closed);
  }

  private void empty() throws SQLException {
    try {
      int emptied = store.emptyDays();
      if (emptied > 0) {
        log.info("{} closed days could not be dropped and were emptied", emptied);
      }
    } catch (SQLException e) {
      if (!UpkeepStore.isBusy(e)) {
        throw e;
      }
    }
  }

  private int purge() throws SQLException {
    int purged = 0;
    int purgedNow;
    do {
      purgedNow = store.purge(PURGED_AT_ONCE);
      purged += purgedNow;
    } while (purgedNow >= PURGED_AT_ONCE);
    return purged;
  }

  /**
   * Sets for how long dedup records are kept and redelivered messages are recognised, for every
   * consumer of the schema. Needs a role that may update the table. At least 1 day, default 7.
   */
  public void keepFor(Duration horizon) throws SQLException {
    if (horizon.compareTo(Duration.ofDays(1)) < 0) {
      throw new IllegalArgumentException(
          "The dedup horizon is %s; choose at least 1 day, and more than the broker keeps messages."
              .formatted(horizon));
    }
    store.keepFor(horizon);
  }

  /** For how long dedup records are kept, at least: the horizon beyond which is refused. */
  public Duration keptFor() throws SQLException {
    return store.keptFor();
  }

  /**
   * Runs a round every 10 minutes, and about every minute while something is left to do, the first
   * one soon, in a daemon thread. Idempotent.
   */
  public synchronized void start() {
    if (closing != null) {
      return;
    }
    CountDownLatch told = new CountDownLatch(1);
    Thread thread = Supervision.thread("twinbox-inbox-upkeep", () -> work(told));
    thread.setDaemon(true);
    thread.start();
    closing = told;
  }

  /** Stops the daemon thread, if it was started, after the statement in work. */
  @Override
  public synchronized void close() {
    if (closing != null) {
      closing.countDown();
      closing = null;
    }
  }

  private void work(CountDownLatch told) {
    // Instances that start together need not meet at the same locks.
    Duration pause = Duration.ofMillis(ThreadLocalRandom.current().nextLong(1_000, 5_000));
    while (!isTold(told, pause)) {
      boolean[] complete = {false};
      Supervision.attempt("The inbox's upkeep", () -> complete[0] = runQuietly());
      pause =
          complete[0]
              ? INTERVAL
              : Duration.ofMillis(ThreadLocalRandom.current().nextLong(30_000, 90_000));
    }
  }

  private static boolean isTold(CountDownLatch told, Duration pause) {
    try {
      return told.await(pause.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      log.debug("Interrupted between two rounds"); // the end is told otherwise
      return told.getCount() == 0;
    }
  }

  /** A round; tells whether nothing was left to do. */
  private boolean runQuietly() {
    try {
      Round round = round();
      log.debug("Inbox upkeep: {}", round);
      tell(store.outlook(), round.busy());
      return !round.busy();
    } catch (SQLException e) {
      log.warn("Inbox upkeep failed and is tried again within two minutes", e);
      return false;
    }
  }

  private static void tell(UpkeepStore.Outlook outlook, boolean busy) {
    if (outlook.daysAhead() < InboxExamination.FEW_DAYS) {
      log.error(
          "Only {} days ahead have a table in the inbox; {} are kept. Beyond them ids gather in"
              + " inbox_future, and the later they are moved the longer handlers wait for it: look"
              + " for transactions that stay open, and for missing grants",
          outlook.daysAhead(),
          AHEAD_DAYS);
    } else if (busy) {
      log.warn(
          "The inbox was busy for the whole of a round of upkeep: transactions on it last longer"
              + " than {}, or one stays open. It is tried again within two minutes; {} days ahead"
              + " have a table",
          MOST_PATIENCE,
          outlook.daysAhead());
    }
    if (outlook.daysBehind() > 0) {
      log.warn(
          "{} days of the inbox should have been dropped a day ago: look for transactions that stay"
              + " open",
          outlook.daysBehind());
    }
    if (outlook.clockAhead().abs().compareTo(WORRYING_SKEW) > 0) {
      log.warn(
          "The database's clock is {} ahead of this process's. While one of them is wrong, days are"
              + " closed and dropped by the earlier of the two",
          outlook.clockAhead());
    }
  }
}
