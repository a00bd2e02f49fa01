package dev.twinbox.benchmarks.scenarios;

/** How many messages a broker has confirmed. */
@FunctionalInterface
interface Progress {
  long count() throws Exception;
}
