package dev.twinbox.relay.schedule;

import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.relay.drain.Counters;
import dev.twinbox.relay.drain.Counters.Counts;
import dev.twinbox.relay.drain.LaneDrain;
import dev.twinbox.relay.drain.Trouble;
import dev.twinbox.relay.store.Samples;
import dev.twinbox.relay.store.Samples.Done;
import dev.twinbox.relay.store.Samples.Failing;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Writes down every five seconds what this relay did, and at once when a destination begins or
 * ceases to fail, so that another process can say how fast messages go out and why they do not.
 * Thread-safe.
 */
public final class Sampling {
  private static final String DUTY = "samples for the status";
  private static final long EVERY_NANOS = Duration.ofSeconds(5).toNanos();

  private final Samples samples;
  private final String relay;
  private final Counters counters;
  private final Supplier<List<LaneDrain>> lanes;
  private final Duties duties;
  private Map<String, Counts> told = Map.of();
  private Set<String> failingThen = Set.of();
  private long toldAt = System.nanoTime();
  private boolean swept;

  /**
   * @param samples where they go
   * @param relay this relay's name
   * @param counters what it has done
   * @param lanes its lanes
   * @param duties hears of what fails
   */
  public Sampling(
      Samples samples,
      String relay,
      Counters counters,
      Supplier<List<LaneDrain>> lanes,
      Duties duties) {
    this.samples = samples;
    this.relay = relay;
    this.counters = counters;
    this.lanes = lanes;
    this.duties = duties;
  }

  /** Writes a sample if one is due. What fails is told with the next one. */
  synchronized void look() {
    long now = System.nanoTime();
    List<Failing> failing = failing(now);
    Set<String> names = failing.stream().map(Failing::destination).collect(Collectors.toSet());
    if (swept && now - toldAt < EVERY_NANOS && names.equals(failingThen)) {
      return;
    }
    Map<String, Counts> counts = counters.byDestination();
    try {
      if (!swept) {
        samples.sweep();
        swept = true;
      }
      samples.add(relay, Duration.ofNanos(now - toldAt), done(counts), failing);
      told = counts;
      toldAt = now;
      failingThen = names;
      duties.done(DUTY);
    } catch (SQLException e) {
      duties.failed(DUTY, e);
    }
  }

  private List<Done> done(Map<String, Counts> counts) {
    List<Done> done = new ArrayList<>();
    counts.forEach(
        (destination, now) -> {
          Counts then = told.getOrDefault(destination, new Counts(0, 0, Map.of()));
          Done since =
              new Done(
                  destination,
                  now.published() - then.published(),
                  deadLettered(now) - deadLettered(then),
                  expired(now) - expired(then));
          if (since.published() + since.deadLettered() > 0) {
            done.add(since);
          }
        });
    return done;
  }

  private static long deadLettered(Counts counts) {
    return counts.deadLettered().values().stream().mapToLong(Long::longValue).sum();
  }

  private static long expired(Counts counts) {
    return counts.deadLettered().getOrDefault(Reason.EXPIRED.code(), 0L);
  }

  /** Of lanes that see the same destination fail, the one that has seen it for longest. */
  private List<Failing> failing(long now) {
    Map<String, Trouble> longest = new TreeMap<>();
    for (LaneDrain lane : lanes.get()) {
      for (Trouble each : lane.troubles()) {
        longest.merge(each.destination(), each, (a, b) -> a.since() - b.since() <= 0 ? a : b);
      }
    }
    return longest.values().stream()
        .limit(Counters.MOST_DESTINATIONS)
        .map(
            each ->
                new Failing(
                    each.destination(),
                    each.reason(),
                    Duration.ofNanos(now - each.since()),
                    each.parked()))
        .toList();
  }
}
