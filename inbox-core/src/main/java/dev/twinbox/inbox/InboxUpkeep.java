package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the inbox's tables in shape: makes the tables of the coming days, drops those beyond the
 * dedup horizon, purges what other producers' ids left behind.
 *
 * <p>The consumers of this module run it; several may at once, one of them works. It never waits
 * for a lock longer than 20 ms, because handlers would wait behind it: it gives way and comes back.
 *
 * <p>Thread-safe.
 */
public final class InboxUpkeep implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(InboxUpkeep.class);
  private static final String LOCK_NOT_AVAILABLE = "55P03";
  private static final int LOCK_ATTEMPTS = 20;
  private static final int AHEAD_DAYS = 4;
  private static final int PURGED_AT_ONCE = 1_000;
  private static final Duration WORRYING_AGE = Duration.ofHours(12);
  private static final Duration INTERVAL = Duration.ofMinutes(10);

  private final DataSource dataSource;
  private final String makeDays;
  private final String closeDays;
  private final String dropDay;
  private final String purge;
  private final String keepFor;
  private final String keptFor;
  private @Nullable ScheduledExecutorService daemon;
  private volatile long daysMadeAt = System.nanoTime();

  InboxUpkeep(DataSource dataSource, String schema) {
    this.dataSource = dataSource;
    makeDays = "select %s.inbox_make_days(%s)".formatted(schema, AHEAD_DAYS);
    closeDays = "select %s.inbox_close_days()".formatted(schema);
    dropDay = "select %s.inbox_drop_day()".formatted(schema);
    purge = "select %s.inbox_purge(%s)".formatted(schema, PURGED_AT_ONCE);
    keptFor =
        "select extract(epoch from horizon)::bigint from %s.inbox_retention".formatted(schema);
    keepFor = "update %s.inbox_retention set horizon = make_interval(secs => ?)".formatted(schema);
  }

  /** What a round did. */
  public record Result(int daysMade, int daysClosed, int daysDropped, int rowsPurged) {}

  /**
   * One round, in the caller's thread. What another session's locks kept from being done is left to
   * the next round.
   *
   * @throws SQLException when the database failed or does not let this role call the functions
   */
  public Result runOnce() throws SQLException {
    Object days = withRetry(makeDays);
    if (days != null) {
      daysMadeAt = System.nanoTime();
    }
    int made = number(days);
    int closed = number(withRetry(closeDays));
    int dropped = 0;
    while (withRetry(dropDay) != null) {
      dropped++;
    }
    int purged = 0;
    int purgedNow;
    do {
      purgedNow = number(withRetry(purge));
      purged += purgedNow;
    } while (purgedNow >= PURGED_AT_ONCE);
    return new Result(made, closed, dropped, purged);
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
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(keepFor)) {
      connection.setAutoCommit(true);
      statement.setDouble(1, horizon.toSeconds());
      statement.executeUpdate();
    }
  }

  /** For how long dedup records are kept, at least: the horizon beyond which is refused. */
  public Duration keptFor() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(keptFor);
        ResultSet row = statement.executeQuery()) {
      row.next();
      return Duration.ofSeconds(row.getLong(1));
    }
  }

  /** Runs a round every 10 minutes, the first one soon, in a daemon thread. Idempotent. */
  public synchronized void start() {
    if (daemon != null) {
      return;
    }
    ScheduledExecutorService executor =
        Executors.newSingleThreadScheduledExecutor(
            work -> {
              Thread thread = new Thread(work, "twinbox-inbox-upkeep");
              thread.setDaemon(true);
              return thread;
            });
    // Instances that start together need not meet at the same locks.
    long first = ThreadLocalRandom.current().nextLong(1_000, 5_000);
    executor.scheduleWithFixedDelay(
        this::runQuietly, first, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    daemon = executor;
  }

  /** Stops the daemon thread, if it was started. */
  @Override
  public synchronized void close() {
    if (daemon != null) {
      daemon.shutdownNow();
      daemon = null;
    }
  }

  private void runQuietly() {
    try {
      Result result = runOnce();
      log.debug("Inbox upkeep: {}", result);
    } catch (SQLException | RuntimeException e) {
      log.warn("Inbox upkeep failed and is tried again in {}", INTERVAL, e);
    }
    Duration age = Duration.ofNanos(System.nanoTime() - daysMadeAt);
    if (age.compareTo(WORRYING_AGE) > 0) {
      log.warn(
          "The inbox's tables of the coming days were last seen to {} ago. After {} days ids gather"
              + " in inbox_future, and the later they are moved the longer handlers wait for it:"
              + " look for transactions that stay open, and for missing grants",
          age,
          AHEAD_DAYS);
    }
  }

  private static int number(@Nullable Object value) {
    return value instanceof Number number ? number.intValue() : 0;
  }

  /** The function's value, or null also where its lock was not to be had this time. */
  private @Nullable Object withRetry(String function) throws SQLException {
    for (int attempt = 1; ; attempt++) {
      try {
        return call(function);
      } catch (SQLException e) {
        if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState()) && !SqlTrouble.runAgain(e)) {
          throw e;
        }
        if (attempt == LOCK_ATTEMPTS) {
          log.info("'{}' found its table busy and is left to the next round", function);
          return null;
        }
      }
      try {
        Thread.sleep(ThreadLocalRandom.current().nextInt(100, 400));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      }
    }
  }

  private @Nullable Object call(String function) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(true);
      try (PreparedStatement statement = connection.prepareStatement(function);
          ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getObject(1) : null;
      }
    }
  }
}
