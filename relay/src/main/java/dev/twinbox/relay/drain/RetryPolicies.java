package dev.twinbox.relay.drain;

import java.util.HashMap;
import java.util.Map;

/**
 * The retry policy of each destination.
 *
 * @param otherwise the policy of every destination that has none of its own, and of a broker as a
 *     whole
 * @param byDestination policies by destination as it is enqueued, for example {@code kafka:orders}
 */
public record RetryPolicies(RetryPolicy otherwise, Map<String, RetryPolicy> byDestination) {
  /** {@link RetryPolicy#DEFAULTS} for all. */
  public static final RetryPolicies DEFAULTS = all(RetryPolicy.DEFAULTS);

  public RetryPolicies {
    byDestination = Map.copyOf(byDestination);
  }

  /** One policy for all destinations. */
  public static RetryPolicies all(RetryPolicy policy) {
    return new RetryPolicies(policy, Map.of());
  }

  /** These policies, with another one for one destination. */
  public RetryPolicies with(String destination, RetryPolicy policy) {
    Map<String, RetryPolicy> more = new HashMap<>(byDestination);
    more.put(destination, policy);
    return new RetryPolicies(otherwise, more);
  }

  /** The policy of a destination. */
  public RetryPolicy of(String destination) {
    return byDestination.getOrDefault(destination, otherwise);
  }
}
