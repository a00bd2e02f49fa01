package dev.twinbox.inbox;

import java.time.Duration;

/**
 * How long a failed message waits, and when it is given up: {@code
 * Backoff.exponential(ofSeconds(1)).upTo(ofMinutes(5)).giveUpAfter(12)}. The pause doubles with
 * each failure.
 *
 * @param first the pause after the first failure
 * @param longest the limit of the pause
 * @param attempts after so many failures the message is quarantined; at least 1
 */
public record Backoff(Duration first, Duration longest, int attempts) {
  private static final Duration SHORTEST = Duration.ofMillis(1);

  public Backoff {
    if (first.isNegative() || longest.compareTo(first) < 0) {
      throw new IllegalArgumentException(
          "The first pause is %s and the longest %s; choose 0 <= first <= longest."
              .formatted(first, longest));
    }
    if (attempts < 1) {
      throw new IllegalArgumentException(
          "giveUpAfter is %s; a message has at least 1 attempt.".formatted(attempts));
    }
  }

  /** Begins with the given pause; up to 5 minutes, given up after 5 attempts. */
  public static Backoff exponential(Duration first) {
    Duration five = Duration.ofMinutes(5);
    return new Backoff(first, first.compareTo(five) > 0 ? first : five, 5);
  }

  /** Limits the pause. Default 5 minutes. */
  public Backoff upTo(Duration limit) {
    return new Backoff(first, limit, attempts);
  }

  /** Quarantines a message after so many attempts. Default 5. */
  public Backoff giveUpAfter(int limit) {
    return new Backoff(first, longest, limit);
  }

  /**
   * The pause after the given number of failures; at least 1 ms, in which others get their turn.
   */
  public Duration pause(int failures) {
    int doublings = Math.max(0, Math.min(failures - 1, 30));
    long millis = first.toMillis();
    if (millis > longest.toMillis() >> doublings) {
      return longest.isZero() ? SHORTEST : longest;
    }
    return millis == 0 ? SHORTEST : Duration.ofMillis(millis << doublings);
  }
}
