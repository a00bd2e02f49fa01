package dev.twinbox.benchmarks.scenarios;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How far a drain was, and when: sampled from outside, in the same way for every side. Rates are
 * counted from the first confirm, so start-up is left out for everybody.
 */
final class Timeline {
  private static final Duration UNTIL_THE_FIRST = Duration.ofSeconds(60);
  private static final int SAMPLE_MILLIS = 20;

  private final List<Sample> samples = new ArrayList<>();

  private record Sample(long nanos, long count) {}

  private Timeline() {}

  /**
   * Watches until everything is confirmed, or for so long from the first confirm on.
   *
   * @param progress where it is now
   * @param before where it was before the drain began
   * @param expected how many are to come
   * @param limit for the whole
   */
  static Timeline watch(ConfirmedCount progress, long before, long expected, Duration limit)
      throws Exception {
    Timeline timeline = new Timeline();
    long lastWithout = System.nanoTime();
    long deadline = lastWithout + UNTIL_THE_FIRST.toNanos();
    long count = 0;
    while (count < expected) {
      long asked = System.nanoTime();
      count = progress.count() - before;
      long now = System.nanoTime();
      if (count > 0) {
        if (timeline.samples.isEmpty()) {
          deadline = now + limit.toNanos();
          timeline.samples.add(new Sample(lastWithout, 0));
        }
        timeline.samples.add(new Sample(now, count));
      } else {
        lastWithout = asked;
      }
      if (now > deadline) {
        break;
      }
      if (count < expected) {
        TimeUnit.MILLISECONDS.sleep(SAMPLE_MILLIS);
      }
    }
    if (timeline.samples.isEmpty()) {
      throw new IllegalStateException(
          "none of %s messages was confirmed within %s s"
              .formatted(expected, UNTIL_THE_FIRST.toSeconds()));
    }
    return timeline;
  }

  /** Messages a second from the first confirm to the last. */
  double rate() {
    return rate(0, last().count());
  }

  /** Messages a second between two numbers of messages. */
  double rate(long from, long to) {
    Sample begin = at(from);
    Sample end = at(to);
    // Too few messages for the grid of samples: the whole then stands for its parts.
    return end.nanos() == begin.nanos()
        ? rate()
        : (end.count() - begin.count()) * 1e9 / (end.nanos() - begin.nanos());
  }

  long count() {
    return last().count();
  }

  /** How many were confirmed so long after the first one, or all. */
  long countAfter(Duration since) {
    long then = samples.get(0).nanos() + since.toNanos();
    return samples.stream()
        .filter(sample -> sample.nanos() >= then)
        .findFirst()
        .orElse(last())
        .count();
  }

  private Sample last() {
    return samples.get(samples.size() - 1);
  }

  private Sample at(long count) {
    return samples.stream().filter(sample -> sample.count() >= count).findFirst().orElse(last());
  }
}
