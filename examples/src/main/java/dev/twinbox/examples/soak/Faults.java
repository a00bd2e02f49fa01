package dev.twinbox.examples.soak;

import dev.twinbox.testkit.FaultProxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The faults that can be done to this system, and how each is undone. */
final class Faults {
  private final SoakDatabase database;
  private final SoakBroker broker;
  private final Crew crew;

  Faults(SoakDatabase database, SoakBroker broker, Crew crew) {
    this.database = database;
    this.broker = broker;
    this.crew = crew;
  }

  /** Something done to a target; both may take seconds. */
  interface Deed {
    void act();
  }

  /**
   * A fault that is ready to strike.
   *
   * @param target what it strikes; two faults at one target exclude each other
   * @param place the target as it is shown
   * @param strike begins it
   * @param heal ends it
   */
  record Fault(String target, String place, Deed strike, Deed heal) {
    Fault(String target, Deed strike, Deed heal) {
      this(target, target, strike, heal);
    }
  }

  /**
   * Those faults of a kind that would hit now, the one that was picked first.
   *
   * @param working who has unconfirmed work in hand
   */
  List<Fault> ready(FaultKind kind, int pick, Set<Member> working) {
    List<Fault> ready = new ArrayList<>();
    List<Member> victims = rotated(crew.of(kind.victim()), pick);
    victims.removeIf(member -> !working.contains(member));
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
      default -> victims.forEach(member -> ready.add(at(kind, member)));
    }
    return ready;
  }

  private Fault at(FaultKind kind, Member member) {
    String name = member.name();
    return switch (kind) {
      case KILL_PRODUCER, KILL_RELAY, KILL_CONSUMER -> new Fault(name, member::kill, member::start);
      case PAUSE_RELAY, PAUSE_CONSUMER -> new Fault(name, member::pause, member::resume);
      case CUT_RELAY_POSTGRES, CUT_CONSUMER_POSTGRES -> cut(name, List.of(database.proxy(name)));
      case CUT_RELAY_BROKER, CUT_CONSUMER_BROKER -> cut(name, broker.proxies(name));
      case FREEZE_RELAY_POSTGRES, FREEZE_CONSUMER_POSTGRES ->
          freeze(name, List.of(database.proxy(name)));
      case FREEZE_RELAY_BROKER, FREEZE_CONSUMER_BROKER -> freeze(name, broker.proxies(name));
      case KILL_BROKER, PAUSE_BROKER, PAUSE_POSTGRES, CRASH_POSTGRES, RAISE_ALARM ->
          throw new IllegalArgumentException(kind + " strikes no member of the crew");
    };
  }

  private static Fault cut(String name, List<FaultProxy> proxies) {
    return new Fault(name, () -> proxies.forEach(FaultProxy::cut), () -> {});
  }

  private static Fault freeze(String name, List<FaultProxy> proxies) {
    return new Fault(
        name, () -> proxies.forEach(FaultProxy::freeze), () -> proxies.forEach(FaultProxy::thaw));
  }

  private static List<Member> rotated(List<Member> members, int pick) {
    List<Member> rotated = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      rotated.add(members.get((pick + i) % members.size()));
    }
    return rotated;
  }
}
