package dev.twinbox.benchmarks.scenarios;

/**
 * How large a run is.
 *
 * @param name how a report calls it
 * @param repetitions how often each ratio is measured
 * @param bothSizes whether 2 KiB messages are measured beside those of 256 B
 * @param drained messages of a backlog
 * @param warmUpRounds how many backlogs a fast side drains before any is timed
 * @param peerDrained messages of a slow peer's backlog
 * @param drainSeconds after how long a slow peer is stopped
 * @param sliceSeconds how long a side of a writing ratio runs at a time
 * @param latencySeconds how long messages come at a fixed rate
 * @param latencyWarmUpSeconds how long they come before anything counts
 * @param largeBacklog messages of the large backlog
 * @param settles windows that are settled while the xmin horizon is held
 * @param consumed messages for a consumer that works in batches
 * @param consumedSingly messages for a consumer with a transaction each
 * @param rabbit messages of a backlog for RabbitMQ
 * @param idleSeconds how long an idle relay is looked at
 * @param idleForSeconds how long it has been idle by then, at least
 */
public record Scale(
    String name,
    int repetitions,
    boolean bothSizes,
    int drained,
    int warmUpRounds,
    int peerDrained,
    int drainSeconds,
    double sliceSeconds,
    int latencySeconds,
    int latencyWarmUpSeconds,
    int largeBacklog,
    int settles,
    int consumed,
    int consumedSingly,
    int rabbit,
    int idleSeconds,
    int idleForSeconds) {

  /** What docs/performance.md publishes; hours are allowed. */
  public static final Scale FULL =
      new Scale(
          "full",
          5,
          true,
          600_000,
          1,
          40_000,
          10,
          4,
          20,
          20,
          10_000_000,
          50_000,
          200_000,
          20_000,
          150_000,
          30,
          300);

  /** Within 12 minutes. */
  public static final Scale QUICK =
      new Scale(
          "quick", 3, false, 100_000, 2, 4_000, 2, 1.2, 2, 3, 1_000_000, 20_000, 25_000, 5_000,
          20_000, 5, 60);

  /** Seconds: it only shows that everything runs. */
  public static final Scale SMOKE =
      new Scale("smoke", 1, false, 2_000, 1, 100, 5, 0.2, 1, 1, 4_000, 20, 500, 100, 500, 1, 1);

  /** Messages that warm a side up, before anything is timed. */
  public int warmUp(int messages) {
    return Math.min(messages, 400_000);
  }
}
