package dev.twinbox.benchmarks.figures;

import org.jspecify.annotations.Nullable;

/**
 * What a figure should be.
 *
 * @param least the lowest median that meets it, or null for none
 * @param most the highest median that meets it, or null for none
 */
public record Goal(@Nullable Double least, @Nullable Double most) {
  static final Goal NONE = new Goal(null, null);

  static Goal atLeast(double least) {
    return new Goal(least, null);
  }

  static Goal atMost(double most) {
    return new Goal(null, most);
  }

  static Goal between(double least, double most) {
    return new Goal(least, most);
  }

  /** Whether a median meets it; null where the figure is only reported. */
  public @Nullable Boolean met(double median) {
    if (least == null && most == null) {
      return null;
    }
    return (least == null || median >= least) && (most == null || median <= most);
  }

  @Override
  public String toString() {
    if (least != null && most != null) {
      return "%s to %s".formatted(Numbers.plain(least), Numbers.plain(most));
    }
    if (least != null) {
      return "≥ " + Numbers.plain(least);
    }
    return most == null ? "reported" : "≤ " + Numbers.plain(most);
  }
}
