package dev.twinbox.relay.drain;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * What happens after a failure: wait {@code first}, doubled each time up to {@code longest}, with
 * jitter; give a message up after {@code maxAttempts} failures of its own; give up what has no
 * place at the broker (no topic, no exchange, no bound queue) after the grace period, since
 * deployments race. An unreachable broker is waited for without end and counts no attempts.
 *
 * @param first first pause; default 100 ms
 * @param longest longest pause; default 4 s, so that a broker that returns is noticed within 5 s
 * @param maxAttempts attempts of one message before it becomes a dead letter; default 12
 * @param gracePeriod how long a missing topic, exchange or binding is waited for; default 1 min
 */
public record RetryPolicy(Duration first, Duration longest, int maxAttempts, Duration gracePeriod) {
  /** The defaults. */
  public static final RetryPolicy DEFAULTS =
      new RetryPolicy(Duration.ofMillis(100), Duration.ofSeconds(4), 12, Duration.ofMinutes(1));

  public RetryPolicy {
    if (first.isNegative() || first.isZero() || first.compareTo(longest) > 0) {
      throw new IllegalArgumentException(
          "first is %s and longest is %s; choose 0 < first <= longest.".formatted(first, longest));
    }
    if (maxAttempts < 1) {
      throw new IllegalArgumentException(
          "maxAttempts is %d; the smallest is 1.".formatted(maxAttempts));
    }
    if (gracePeriod.isNegative()) {
      throw new IllegalArgumentException(
          "gracePeriod is %s; it must not be negative.".formatted(gracePeriod));
    }
  }

  /** The pause after so many failures in a row: between half and all of the doubled time. */
  Duration pause(int failures, RandomGenerator random) {
    long doubled = first.toMillis() << Math.min(20, Math.max(0, failures - 1));
    long capped = Math.min(longest.toMillis(), doubled);
    return Duration.ofMillis(capped / 2 + random.nextLong(capped / 2 + 1));
  }
}
