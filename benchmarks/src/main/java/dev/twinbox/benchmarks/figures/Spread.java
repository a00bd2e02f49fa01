package dev.twinbox.benchmarks.figures;

import java.util.List;

/**
 * The repetitions of one measurement in brief.
 *
 * @param median the middle one, or the mean of the middle two
 * @param min the lowest
 * @param max the highest
 */
public record Spread(double median, double min, double max) {
  /** Of at least one value. */
  public static Spread of(List<Double> values) {
    if (values.isEmpty()) {
      throw new IllegalArgumentException("There is nothing to take a median of.");
    }
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    double median =
        sorted.size() % 2 == 1
            ? sorted.get(middle)
            : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    return new Spread(median, sorted.get(0), sorted.get(sorted.size() - 1));
  }

  @Override
  public String toString() {
    return min == max
        ? Numbers.rounded(median)
        : "%s (%s to %s)"
            .formatted(Numbers.rounded(median), Numbers.rounded(min), Numbers.rounded(max));
  }
}
