package dev.twinbox.inbox;

import java.util.concurrent.TimeUnit;

/**
 * What the database said about this consumer and its own clock, a moment ago. Times are
 * milliseconds since 1970.
 *
 * @param refusesFrom ids from then on are refused once they are past the horizon
 * @param keptFrom ids from before cannot have been processed by this consumer and then dropped
 * @param closedBefore dedup rows of ids from before are dropped, or will be within the hour
 * @param databaseTime the database's clock when it was asked
 * @param sampledAt {@link System#nanoTime()} of that moment
 */
record Registration(
    int consumerId,
    long refusesFrom,
    long keptFrom,
    long closedBefore,
    long horizon,
    long databaseTime,
    long sampledAt)
    implements AdmissionTerms {
  // Dropping a table waits an hour after closing it: a sample far younger than that is safe.
  private static final long FRESH_MILLIS = 30_000;

  /** The database's clock now, without asking again. */
  @Override
  public long now() {
    return databaseTime + age();
  }

  /** Milliseconds since the database was asked. */
  long age() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sampledAt);
  }

  /** Whether deliveries can be judged by it without asking again. */
  boolean isFresh() {
    return age() < FRESH_MILLIS;
  }

  /** Whether the dedup row of an id of the given time is dropped, or will be within the hour. */
  boolean closed(long idTime) {
    return idTime < closedBefore;
  }

  /**
   * Whether an id of the given time is older than dedup rows are kept for, by the earlier of two
   * clocks: a database's that is ahead makes nothing old. What is dropped is closed before.
   */
  boolean beyondHorizon(long idTime) {
    long now = Math.min(now(), System.currentTimeMillis());
    return idTime < Math.max(now - horizon, closedBefore);
  }

  /** Whether an id of the given time was possibly processed, with its row dropped since. */
  @Override
  public boolean refuses(long idTime) {
    if (idTime < keptFrom) {
      return false;
    }
    if (idTime < refusesFrom) {
      return idTime < closedBefore;
    }
    return beyondHorizon(idTime);
  }
}
