package dev.twinbox.relay.drain;

import java.util.HashMap;
import java.util.Map;

/**
 * How many messages a second go to a destination at most, so that its consumers are not flooded
 * when a pile is drained.
 *
 * @param perSecond by destination as it is enqueued, for example {@code kafka:orders}; those that
 *     are not named have no limit. Together for all relays of a database that say the same
 */
public record RateLimits(Map<String, Double> perSecond) {
  /** No limits. */
  public static final RateLimits NONE = new RateLimits(Map.of());

  private static final double LEAST = 0.01;
  private static final int MOST = 1_000_000;

  public RateLimits {
    perSecond = Map.copyOf(perSecond);
    perSecond.forEach(
        (destination, rate) -> {
          if (!(rate >= LEAST && rate <= MOST)) {
            throw new IllegalArgumentException(
                ("The rate limit of %s is %s messages a second; choose %s to %s, or no limit.")
                    .formatted(destination, rate, LEAST, MOST));
          }
        });
  }

  /** These limits, with one for another destination. */
  public RateLimits with(String destination, double messagesPerSecond) {
    Map<String, Double> more = new HashMap<>(perSecond);
    more.put(destination, messagesPerSecond);
    return new RateLimits(more);
  }
}
