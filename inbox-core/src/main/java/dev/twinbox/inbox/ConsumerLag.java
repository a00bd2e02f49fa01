package dev.twinbox.inbox;

import java.util.Map;

/** How far a consumer is behind its broker. */
@FunctionalInterface
public interface ConsumerLag {
  /**
   * How many messages this consumer has not handled yet, by partition, as in {@code orders-0}; or,
   * for RabbitMQ, how many are ready in the queue, without those that it has fetched. What is not
   * known is left out; for Kafka those are the partitions that this instance does not hold. A few
   * seconds old. Cheap; callable from any thread.
   */
  Map<String, Long> lag();

  /**
   * How many of {@link #lag} the broker holds and does not deliver, by partition; see {@link
   * #causes}. Partitions without such messages are left out. Default: none is known.
   */
  default Map<String, Long> withheld() {
    return Map.of();
  }

  /** Why the broker does not deliver what it holds, by partition, for people. */
  default Map<String, String> causes() {
    return Map.of();
  }
}
