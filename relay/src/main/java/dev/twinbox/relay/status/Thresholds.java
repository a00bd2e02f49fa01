package dev.twinbox.relay.status;

import java.time.Duration;

/**
 * From where on something is worth telling an operator.
 *
 * @param maxAge how long a message may have been due and not out; default 1 minute
 * @param maxWaiting how many messages may wait for one destination; default 100,000
 * @param maxDeadLetters how many dead letters may lie about that nobody has discarded; default 0
 * @param maxRingFill how much of the ring's leaves may hold rows, in percent; default 75
 * @param maxUnowned how long a lane may be without a relay; default 1 minute
 * @param maxOverdue how long a scheduled message may be due and not promoted; default 30 s
 * @param maxTransaction how long a transaction that has enqueued may be open; default 10 minutes
 * @param maxSkew how far a relay's clock may be from the database's; default 5 s
 * @param maxLag how many messages a consumer may be behind; default 100,000
 */
public record Thresholds(
    Duration maxAge,
    long maxWaiting,
    long maxDeadLetters,
    int maxRingFill,
    Duration maxUnowned,
    Duration maxOverdue,
    Duration maxTransaction,
    Duration maxSkew,
    long maxLag) {
  /** The defaults. */
  public static final Thresholds DEFAULTS =
      new Thresholds(
          Duration.ofMinutes(1),
          100_000,
          0,
          75,
          Duration.ofMinutes(1),
          Duration.ofSeconds(30),
          Duration.ofMinutes(10),
          Duration.ofSeconds(5),
          100_000);

  public Thresholds {
    notNegative("maxAge", maxAge.toMillis(), maxAge);
    notNegative("maxWaiting", maxWaiting, maxWaiting);
    notNegative("maxDeadLetters", maxDeadLetters, maxDeadLetters);
    notNegative("maxUnowned", maxUnowned.toMillis(), maxUnowned);
    notNegative("maxOverdue", maxOverdue.toMillis(), maxOverdue);
    notNegative("maxTransaction", maxTransaction.toMillis(), maxTransaction);
    notNegative("maxSkew", maxSkew.toMillis(), maxSkew);
    notNegative("maxLag", maxLag, maxLag);
    if (maxRingFill < 1 || maxRingFill > 100) {
      throw new IllegalArgumentException(
          "maxRingFill is %s; choose 1 to 100 percent.".formatted(maxRingFill));
    }
  }

  private static void notNegative(String name, long value, Object shown) {
    if (value < 0) {
      throw new IllegalArgumentException(
          "%s is %s; it must not be negative.".formatted(name, shown));
    }
  }
}
