package dev.twinbox.examples.soak;

import java.time.Duration;
import java.util.List;

/**
 * What is to be soaked, for how long and in what.
 *
 * @param broker which one
 * @param seed decides which faults hit which process, and in which order
 * @param duration for how long faults are injected; starting, draining and counting come on top
 * @param messages about how many are written meanwhile
 * @param faults the kinds of faults
 * @param rabbitNodes 1, or the size of a RabbitMQ cluster
 */
record SoakOptions(
    SoakBrokerChoice broker,
    long seed,
    Duration duration,
    long messages,
    List<FaultKind> faults,
    int rabbitNodes) {
  SoakOptions {
    faults = List.copyOf(faults);
  }

  Schedule schedule() {
    return Schedule.of(seed, duration, faults);
  }
}
