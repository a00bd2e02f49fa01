package dev.twinbox.relay.drain;

import java.time.Duration;

/**
 * How a lane is drained.
 *
 * @param pageRows most rows a page; default 2,500
 * @param pageBytes a page ends with the row that reaches so many bytes; default 4 MiB
 * @param rowsInFlight most rows that are handed over and not confirmed, each lane; default 5,000
 * @param bytesInFlight no page is read while so many bytes are in flight, each lane; default 16 MiB
 * @param lease how long a lane stays ours after our last write; default 10 s
 * @param shortestPoll pause between polls right after work; default 2 ms
 * @param longestPoll pause between polls when idle; default 150 ms
 * @param retry how long to wait after a failure, and when to give a message up, by destination
 * @param stopDeadline how long a stop waits for outstanding confirms; default 10 s
 */
public record DrainSettings(
    int pageRows,
    long pageBytes,
    int rowsInFlight,
    long bytesInFlight,
    Duration lease,
    Duration shortestPoll,
    Duration longestPoll,
    RetryPolicies retry,
    Duration stopDeadline) {

  /** The defaults. */
  public static final DrainSettings DEFAULTS =
      new DrainSettings(
          2_500,
          4L << 20,
          5_000,
          16L << 20,
          Duration.ofSeconds(10),
          Duration.ofMillis(2),
          Duration.ofMillis(150),
          RetryPolicies.DEFAULTS,
          Duration.ofSeconds(10));

  public DrainSettings {
    if (pageRows < 1 || rowsInFlight < pageRows) {
      throw new IllegalArgumentException(
          "pageRows is %s and rowsInFlight is %s; choose 1 <= pageRows <= rowsInFlight."
              .formatted(pageRows, rowsInFlight));
    }
    if (pageBytes < 1 || bytesInFlight < pageBytes) {
      throw new IllegalArgumentException(
          "pageBytes is %s and bytesInFlight is %s; choose 1 <= pageBytes <= bytesInFlight."
              .formatted(pageBytes, bytesInFlight));
    }
    if (lease.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException("lease is %s; the shortest is 1 s.".formatted(lease));
    }
    if (shortestPoll.isNegative() || shortestPoll.compareTo(longestPoll) > 0) {
      throw new IllegalArgumentException(
          "shortestPoll is %s and longestPoll is %s; choose 0 <= shortestPoll <= longestPoll."
              .formatted(shortestPoll, longestPoll));
    }
  }

  /** These settings with another lease. */
  public DrainSettings withLease(Duration lease) {
    return new DrainSettings(
        pageRows,
        pageBytes,
        rowsInFlight,
        bytesInFlight,
        lease,
        shortestPoll,
        longestPoll,
        retry,
        stopDeadline);
  }

  /** These settings with other pages. */
  public DrainSettings withPages(int rows, long bytes) {
    return new DrainSettings(
        rows,
        bytes,
        Math.max(rows, rowsInFlight),
        Math.max(bytes, bytesInFlight),
        lease,
        shortestPoll,
        longestPoll,
        retry,
        stopDeadline);
  }

  /** These settings with one retry policy for all destinations. */
  public DrainSettings withRetry(RetryPolicy policy) {
    return withRetry(RetryPolicies.all(policy));
  }

  /** These settings with other retry policies. */
  public DrainSettings withRetry(RetryPolicies policies) {
    return new DrainSettings(
        pageRows,
        pageBytes,
        rowsInFlight,
        bytesInFlight,
        lease,
        shortestPoll,
        longestPoll,
        policies,
        stopDeadline);
  }
}
