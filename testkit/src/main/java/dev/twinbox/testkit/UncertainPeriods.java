package dev.twinbox.testkit;

import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/** Times during which a publisher could not know what it had published; they may overlap. */
final class UncertainPeriods {
  /** Ends by beginnings; none lies within another. */
  private final TreeMap<Instant, Instant> intervals = new TreeMap<>();

  void add(Instant from, Instant to) {
    if (to.isBefore(from)) {
      throw new IllegalArgumentException("A period from " + from + " ends before, at " + to);
    }
    Instant begin = from;
    Instant end = to;
    for (Map.Entry<Instant, Instant> last = intervals.floorEntry(to);
        last != null && !last.getValue().isBefore(begin);
        last = intervals.floorEntry(to)) {
      begin = last.getKey().isBefore(begin) ? last.getKey() : begin;
      end = last.getValue().isAfter(end) ? last.getValue() : end;
      intervals.remove(last.getKey());
    }
    intervals.put(begin, end);
  }

  /** Whether a period overlaps the time between the two, both included. */
  boolean between(Instant from, Instant to) {
    Map.Entry<Instant, Instant> last = intervals.floorEntry(to);
    return last != null && !last.getValue().isBefore(from);
  }
}
