package dev.twinbox.inbox.doctor;

import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Severity;
import dev.twinbox.broker.doctor.UnsafeSettingsException;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a consumer begin only where no message can be lost. What was away when the consumer started
 * is looked at again until it answers, and nothing is taken before. Thread-safe.
 */
public final class StartGate {
  private static final Logger log = LoggerFactory.getLogger(StartGate.class);

  private final String who;
  private final Supplier<List<Finding>> examination;
  private volatile boolean open;
  private boolean toldOfRefusal;

  /**
   * @param who begins, as in {@code "Consumer billing"}
   * @param examination looks at everything that the consumer depends on; waits for seconds at most
   */
  public StartGate(String who, Supplier<List<Finding>> examination) {
    this.who = who;
    this.examination = examination;
  }

  /** A gate that is open, whatever there is behind it: for development. */
  public static StartGate unguarded(String who) {
    StartGate gate = new StartGate(who, List::of);
    gate.open = true;
    log.warn("{} is for development: settings that can lose messages are allowed", who);
    return gate;
  }

  /**
   * For the start: looks for the first time.
   *
   * @throws UnsafeSettingsException when messages could be lost
   */
  public synchronized void refuseUnsafe() {
    if (!open) {
      Diagnosis diagnosis = new Diagnosis(examination.get());
      diagnosis.refuse(who);
      decide(diagnosis);
    }
  }

  /** Whether messages may be taken; looks again where something has not answered so far. */
  public boolean isOpen() {
    return open || lookAgain();
  }

  private synchronized boolean lookAgain() {
    if (!open) {
      Diagnosis diagnosis = new Diagnosis(examination.get());
      List<Finding> refusals = diagnosis.refusals();
      if (refusals.isEmpty()) {
        decide(diagnosis);
      } else if (!toldOfRefusal) {
        toldOfRefusal = true;
        refusals.forEach(r -> log.error("{} takes nothing, as messages could be lost. {}", who, r));
      }
    }
    return open;
  }

  private void decide(Diagnosis diagnosis) {
    boolean away = false;
    for (Finding finding : diagnosis.findings()) {
      away |=
          finding.check() == CommonCheck.DATABASE_UNREACHABLE
              || finding.check() == CommonCheck.BROKER_UNREACHABLE;
      if (finding.severity() != Severity.OK) {
        log.warn("{}: {}", who, finding);
      }
    }
    open = !away;
  }
}
