package dev.twinbox.benchmarks.scenarios;

/** How many messages a broker has confirmed. */
@FunctionalInterface
interface ConfirmedCount {
  long count() throws Exception;
}
