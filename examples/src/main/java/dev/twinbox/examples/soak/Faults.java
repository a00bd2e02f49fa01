package dev.twinbox.examples.soak;

import dev.twinbox.testkit.FaultProxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The faults that can be done to this system, and how each is undone. */
final class Faults {
  private final SoakDatabase database;
  private final SoakBroker broker;
  private final SoakProcesses processes;

  Faults(SoakDatabase database, SoakBroker broker, SoakProcesses processes) {
    this.database = database;
    this.broker = broker;
    this.processes = processes;
  }

  /** Something done to a target; both may take seconds. */
  interface Deed {
    void act();
  }

  /**
   * A fault that can begin now.
   *
   * @param target what it affects; two faults at one target exclude each other
   * @param place the target as it is shown
   * @param begin begins it
   * @param heal ends it
   */
  record Fault(String target, String place, Deed begin, Deed heal) {
    Fault(String target, Deed begin, Deed heal) {
      this(target, target, begin, heal);
    }
  }

  /**
   * Those faults of a kind that would hit now, the one that was picked first.
   *
   * @param working processes with unconfirmed work
   */
  List<Fault> ready(FaultKind kind, int pick, Set<SoakProcess> working) {
    List<Fault> ready = new ArrayList<>();
    List<SoakProcess> victims = rotated(processes.of(kind.victim()), pick);
    victims.removeIf(process -> !working.contains(process));
    if (victims.isEmpty()) {
      return ready;
    }
    switch (kind) {
      case PAUSE_POSTGRES ->
          ready.add(new Fault("postgres", database.server()::pause, database.server()::resume));
      case CRASH_POSTGRES ->
          ready.add(
              new Fault(
                  "postgres", database.server()::stopImmediately, database.server()::restart));
      case KILL_BROKER -> {
        int node = pick % broker.nodes();
        ready.add(
            new Fault(
                "broker", "broker " + node, () -> broker.kill(node), () -> broker.restart(node)));
      }
      case PAUSE_BROKER -> {
        int node = pick % broker.nodes();
        ready.add(
            new Fault(
                "broker", "broker " + node, () -> broker.pause(node), () -> broker.resume(node)));
      }
      case RAISE_ALARM -> ready.add(new Fault("broker", broker::raiseAlarm, broker::clearAlarm));
      default -> victims.forEach(process -> ready.add(at(kind, process)));
    }
    return ready;
  }

  private Fault at(FaultKind kind, SoakProcess process) {
    String name = process.name();
    return switch (kind) {
      case KILL_PRODUCER, KILL_RELAY, KILL_CONSUMER ->
          new Fault(name, process::kill, process::start);
      case PAUSE_RELAY, PAUSE_CONSUMER -> new Fault(name, process::pause, process::resume);
      case CUT_RELAY_POSTGRES, CUT_CONSUMER_POSTGRES -> cut(name, List.of(database.proxy(name)));
      case CUT_RELAY_BROKER, CUT_CONSUMER_BROKER -> cut(name, broker.proxies(name));
      case FREEZE_RELAY_POSTGRES, FREEZE_CONSUMER_POSTGRES ->
          freeze(name, List.of(database.proxy(name)));
      case FREEZE_RELAY_BROKER, FREEZE_CONSUMER_BROKER -> freeze(name, broker.proxies(name));
      case KILL_BROKER, PAUSE_BROKER, PAUSE_POSTGRES, CRASH_POSTGRES, RAISE_ALARM ->
          throw new IllegalArgumentException(kind + " is no fault of a single process");
    };
  }

  private static Fault cut(String name, List<FaultProxy> proxies) {
    return new Fault(name, () -> proxies.forEach(FaultProxy::cut), () -> {});
  }

  private static Fault freeze(String name, List<FaultProxy> proxies) {
    return new Fault(
        name, () -> proxies.forEach(FaultProxy::freeze), () -> proxies.forEach(FaultProxy::thaw));
  }

  private static List<SoakProcess> rotated(List<SoakProcess> all, int pick) {
    List<SoakProcess> rotated = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      rotated.add(all.get((pick + i) % all.size()));
    }
    return rotated;
  }
}
