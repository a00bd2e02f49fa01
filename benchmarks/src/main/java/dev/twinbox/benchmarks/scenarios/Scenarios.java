package dev.twinbox.benchmarks.scenarios;

import java.util.List;

/** All of them, in the order in which they run. */
public final class Scenarios {
  private Scenarios() {}

  /** Fresh ones. */
  public static List<Scenario> all() {
    return List.of(
        new WalBytes(),
        new Idle(),
        new WriteRates(),
        new InboxRates(),
        new DrainKafka(),
        new DrainRabbit(),
        new EndToEnd(),
        new PeerLatencies(),
        new LargeBacklog(),
        new HeldHorizon(),
        new TwoRelays());
  }
}
