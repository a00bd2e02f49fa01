package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import java.util.Set;

/** Measures some figures together, because they share a side. */
public interface Scenario {
  /** What it measures. */
  Set<Figure> figures();

  /** Before any scenario runs: starts what has to run for a while before it is measured. */
  default void begin(Bench bench) throws Exception {}

  /** Measures what is wanted of them. */
  void run(Bench bench) throws Exception;

  /** Ends what {@link #begin} has started, whether or not it was measured. */
  default void end() {}
}
