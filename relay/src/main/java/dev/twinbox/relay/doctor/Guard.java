package dev.twinbox.relay.doctor;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Severity;
import dev.twinbox.postgres.Tables;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a relay from losing messages by somebody's settings: at its start, by a look at the
 * database, the brokers and the destinations of what waits; and at the first message to each
 * destination, which is then looked at again every minute. A broker that is down does not keep the
 * relay from starting. Thread-safe.
 */
public final class Guard {
  private static final Logger log = LoggerFactory.getLogger(Guard.class);

  private Guard() {}

  /**
   * The broker, for publishers that send only where no message can be lost. What is refused is
   * unavailable: its messages wait, and go out when it is mended.
   */
  public static Broker guarded(Broker broker) {
    broker.examineWhilePublishing();
    return new GuardedBroker(broker, new DestinationGuard(broker.name(), broker::examine));
  }

  /**
   * Looks at everything that a relay depends on, and logs what is not as it should be.
   *
   * @param who would start, as in {@code "Relay r1"}
   * @throws dev.twinbox.broker.doctor.UnsafeSettingsException when messages could be lost
   */
  public static void refuseUnsafe(
      String who, DataSource dataSource, Tables tables, Collection<Broker> brokers) {
    OutboxSide database = OutboxSide.examine(dataSource, tables, /* deadLetters= */ false);
    List<Finding> findings = new ArrayList<>(database.findings());
    for (Broker broker : brokers) {
      try (BrokerExamination examination = broker.examine()) {
        findings.addAll(examination.broker());
        for (Map.Entry<String, Boolean> known : database.destinationsOf(broker.name()).entrySet()) {
          findings.addAll(examination.destination(known.getKey(), known.getValue()));
        }
      }
    }
    Diagnosis diagnosis = new Diagnosis(findings.stream().distinct().toList());
    diagnosis.refuse(who);
    for (Finding finding : diagnosis.findings()) {
      if (finding.severity() != Severity.OK) {
        log.warn("{}", finding);
      }
    }
  }
}
