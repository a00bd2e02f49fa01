package dev.twinbox.inbox;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long upkeep waits for a lock for which all handlers have to be between two transactions, and
 * behind which all of them wait. Short at first, for a gap that comes by itself. Then for as long
 * as the transactions of handlers last, which is measured by looking, so that under steady load
 * each handler waits about once for the time of another. A transaction that stays open is never
 * waited for.
 */
final class UpkeepPatience {
  private static final Duration SHORT = Duration.ofMillis(20);
  private static final int SHORT_TRIES = 4;
  private static final int ROUNDS = 3;
  private static final int LOOK_MILLIS = 10;

  private final UpkeepStore store;

  UpkeepPatience(UpkeepStore store) {
    this.store = store;
  }

  /** A function of the database that gives up after a wait. */
  @FunctionalInterface
  interface Waiting {
    int within(Duration wait) throws SQLException;
  }

  /**
   * Calls the function until it has its lock; empty when it was not to be had.
   *
   * @param most how long it may wait at most
   */
  OptionalInt call(Waiting function, Duration most) throws SQLException, InterruptedException {
    for (int round = 1; round <= ROUNDS; round++) {
      for (int i = 0; i < SHORT_TRIES; i++) {
        OptionalInt result = attempt(function, SHORT);
        if (result.isPresent()) {
          return result;
        }
        Thread.sleep(ThreadLocalRandom.current().nextInt(100, 400));
      }
      Optional<Duration> handlers = longestTransaction(most);
      if (handlers.isPresent()) {
        // Growing: what is measured next may be longer.
        Duration wait = handlers.get().multipliedBy(round + 1L).plus(SHORT);
        OptionalInt result = attempt(function, wait.compareTo(most) < 0 ? wait : most);
        if (result.isPresent()) {
          return result;
        }
      }
    }
    return OptionalInt.empty();
  }

  private static OptionalInt attempt(Waiting function, Duration wait) throws SQLException {
    try {
      return OptionalInt.of(function.within(wait));
    } catch (SQLException e) {
      if (!UpkeepStore.isBusy(e)) {
        throw e;
      }
      return OptionalInt.empty();
    }
  }

  /** How long it takes until those that use the inbox now have ended; empty beyond the limit. */
  private Optional<Duration> longestTransaction(Duration limit)
      throws SQLException, InterruptedException {
    long began = System.nanoTime();
    Set<String> waitedFor = store.users();
    while (!waitedFor.isEmpty()) {
      if (System.nanoTime() - began > limit.toNanos()) {
        return Optional.empty();
      }
      Thread.sleep(LOOK_MILLIS);
      waitedFor.retainAll(store.users());
    }
    return Optional.of(Duration.ofNanos(System.nanoTime() - began));
  }
}
