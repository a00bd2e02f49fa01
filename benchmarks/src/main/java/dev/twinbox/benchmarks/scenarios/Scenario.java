package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import java.util.Set;

/** Measures some figures together, because they share a side. */
public interface Scenario {
  /** What it measures. */
  Set<Figure> figures();

  /** Measures what is wanted of them. */
  void run(Bench bench) throws Exception;
}
