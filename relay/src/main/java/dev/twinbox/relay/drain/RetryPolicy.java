package dev.twinbox.relay.drain;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * What happens after a failure: wait {@code first}, doubled each time up to {@code longest}, with
 * jitter; give a message up after {@code maxAttempts} failures of its own; when a destination has
 * no place at the broker (no topic, no exchange, no bound queue), wait for the grace period, since
 * deployments race, and then do as {@code afterGrace} says. A broker or destination that is
 * unavailable for any other reason is waited for without end and counts no attempts; after {@code
 * parkAfter} the messages of such a destination wait beside the lane, which goes on.
 *
 * @param first first pause; default 100 ms
 * @param longest longest pause; default 4 s, so that a broker that returns is noticed within 5 s
 * @param maxAttempts attempts of one message before it becomes a dead letter; default 12
 * @param gracePeriod how long a missing topic, exchange or binding is waited for; default 1 min
 * @param afterGrace what becomes of the messages then; default {@link AfterGrace#DEAD_LETTER}
 * @param parkAfter for how long a lane stands still for one broken destination; default 2 s
 * @param blockKeyOnDeadLetter whether the messages that follow a dead letter with the same key wait
 *     until an operator has redriven or discarded it; default false
 */
public record RetryPolicy(
    Duration first,
    Duration longest,
    int maxAttempts,
    Duration gracePeriod,
    AfterGrace afterGrace,
    Duration parkAfter,
    boolean blockKeyOnDeadLetter) {

  /** What becomes of messages whose destination is still missing after the grace period. */
  public enum AfterGrace {
    /**
     * They become dead letters, with the reason {@code unroutable} or {@code missing-destination}.
     */
    DEAD_LETTER,
    /** They go on waiting. */
    WAIT
  }

  /** The defaults. */
  public static final RetryPolicy DEFAULTS =
      new RetryPolicy(
          Duration.ofMillis(100),
          Duration.ofSeconds(4),
          12,
          Duration.ofMinutes(1),
          AfterGrace.DEAD_LETTER,
          Duration.ofSeconds(2),
          false);

  public RetryPolicy {
    if (first.isNegative() || first.isZero() || first.compareTo(longest) > 0) {
      throw new IllegalArgumentException(
          "first is %s and longest is %s; choose 0 < first <= longest.".formatted(first, longest));
    }
    if (maxAttempts < 1) {
      throw new IllegalArgumentException(
          "maxAttempts is %s; the smallest is 1.".formatted(maxAttempts));
    }
    if (gracePeriod.isNegative()) {
      throw new IllegalArgumentException(
          "gracePeriod is %s; it must not be negative.".formatted(gracePeriod));
    }
    if (parkAfter.isNegative()) {
      throw new IllegalArgumentException(
          "parkAfter is %s; it must not be negative.".formatted(parkAfter));
    }
  }

  /** This policy with other pauses. */
  public RetryPolicy withPauses(Duration shortest, Duration cap) {
    return new RetryPolicy(
        shortest, cap, maxAttempts, gracePeriod, afterGrace, parkAfter, blockKeyOnDeadLetter);
  }

  /** This policy with another number of attempts. */
  public RetryPolicy withMaxAttempts(int attempts) {
    return new RetryPolicy(
        first, longest, attempts, gracePeriod, afterGrace, parkAfter, blockKeyOnDeadLetter);
  }

  /** This policy with another grace period, and what follows it. */
  public RetryPolicy withGracePeriod(Duration period, AfterGrace then) {
    return new RetryPolicy(
        first, longest, maxAttempts, period, then, parkAfter, blockKeyOnDeadLetter);
  }

  /** This policy with another time for which a lane stands still for one broken destination. */
  public RetryPolicy withParkAfter(Duration patience) {
    return new RetryPolicy(
        first, longest, maxAttempts, gracePeriod, afterGrace, patience, blockKeyOnDeadLetter);
  }

  /** This policy, with a dead letter holding back what follows it with the same key, or not. */
  public RetryPolicy withBlockKeyOnDeadLetter(boolean block) {
    return new RetryPolicy(first, longest, maxAttempts, gracePeriod, afterGrace, parkAfter, block);
  }

  /** The pause after so many failures in a row: between half and all of the doubled time. */
  Duration pause(int failures, RandomGenerator random) {
    long doubled = first.toMillis() << Math.min(20, Math.max(0, failures - 1));
    long capped = Math.min(longest.toMillis(), doubled);
    return Duration.ofMillis(capped / 2 + random.nextLong(capped / 2 + 1));
  }
}
