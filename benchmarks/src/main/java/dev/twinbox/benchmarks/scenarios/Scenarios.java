package dev.twinbox.benchmarks.scenarios;

import java.util.List;

/**
 * All of them, in the order in which they run: what is timed by the millisecond before what leaves
 * gigabytes for the disk to write.
 */
public final class Scenarios {
  private Scenarios() {}

  /** Fresh ones. */
  public static List<Scenario> all() {
    return List.of(
        new WalBytes(),
        new EndToEnd(),
        new PeerLatencies(),
        new WriteRates(),
        new InboxRates(),
        new DrainKafka(),
        new DrainRabbit(),
        new LargeBacklog(),
        new HeldHorizon(),
        new TwoRelays(),
        new Idle());
  }
}
