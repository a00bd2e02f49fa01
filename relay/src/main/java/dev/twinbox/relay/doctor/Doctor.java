package dev.twinbox.relay.doctor;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.BrokerKinds;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.postgres.Tables;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;

/**
 * Looks at everything that messages depend on: the outbox, the brokers, the destinations that are
 * known from the tables or named, and the consumers that are named. Changes nothing. For one
 * thread.
 */
public final class Doctor {
  private final List<Finding> findings = new ArrayList<>();
  private final Map<String, Boolean> destinations = new TreeMap<>();
  private final List<Consumed> consumed = new ArrayList<>();
  private Duration horizon = Duration.ofDays(7);

  private record Consumed(String broker, String groupOrQueue, List<String> topics) {}

  /** Adds what was found elsewhere. */
  public Doctor found(Finding finding) {
    findings.add(finding);
    return this;
  }

  /**
   * Looks at the database from the relay's side; its destinations are looked at with the brokers.
   */
  public Doctor outbox(DataSource dataSource, Tables tables) {
    OutboxSide side = OutboxSide.examine(dataSource, tables, /* deadLetters= */ true);
    findings.addAll(side.findings());
    side.destinations().forEach((d, keyless) -> destinations.merge(d, keyless, Boolean::logicalOr));
    return this;
  }

  /** For how long consumers recognise redelivered messages; default 7 days. */
  public Doctor horizon(Duration dedupHorizon) {
    horizon = dedupHorizon;
    return this;
  }

  /** Looks at a destination that may not be in the tables. */
  public Doctor destination(String destination) {
    destinations.putIfAbsent(destination, false);
    return this;
  }

  /**
   * Looks at what a consumer meets.
   *
   * @param groupOrQueue a consumer group, or a queue
   * @param topics that the group reads; none for a queue
   */
  public Doctor consumed(String broker, String groupOrQueue, Collection<String> topics) {
    consumed.add(new Consumed(broker, groupOrQueue, List.copyOf(topics)));
    return this;
  }

  /** Looks at the brokers, and says everything that was found. */
  public Diagnosis examine(Collection<Broker> brokers) {
    for (Broker broker : brokers) {
      try (BrokerExamination examination = broker.examine()) {
        findings.addAll(examination.broker());
        destinations.forEach(
            (destination, keyless) -> {
              if (destination.startsWith(broker.name() + ":")) {
                findings.addAll(examination.destination(destination, keyless));
              }
            });
        for (Consumed each : consumed) {
          if (each.broker().equals(broker.name())) {
            findings.addAll(examination.consumed(each.groupOrQueue(), each.topics(), horizon));
          }
        }
      }
    }
    notConfigured(brokers.stream().map(Broker::name).toList());
    return new Diagnosis(findings.stream().distinct().toList());
  }

  private void notConfigured(List<String> brokers) {
    for (String destination : destinations.keySet()) {
      notConfigured(destination, destination.replaceFirst(":.*", ""), brokers);
    }
    for (Consumed each : consumed) {
      notConfigured(each.broker() + ":" + each.groupOrQueue(), each.broker(), brokers);
    }
  }

  private void notConfigured(String subject, String broker, List<String> brokers) {
    if (!brokers.contains(broker)) {
      findings.add(
          Finding.warning(
              CommonCheck.BROKER_NOT_CONFIGURED,
              subject,
              "no broker %s is configured here".formatted(broker),
              BrokerKinds.of(broker)
                  .flatMap(kind -> kind.settings().stream().findFirst())
                  .map(setting -> "Set %s.%s.".formatted(broker, setting.name()))
                  .orElse("Put its kind on the class path, or correct the name.")));
    }
  }
}
