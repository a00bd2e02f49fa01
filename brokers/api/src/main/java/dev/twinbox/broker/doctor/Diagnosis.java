package dev.twinbox.broker.doctor;

import java.util.Collection;
import java.util.List;

/**
 * Everything that was found. Immutable.
 *
 * @param findings in the order in which they were found
 */
public record Diagnosis(List<Finding> findings) {
  /** Keeps a copy. */
  public Diagnosis(Collection<Finding> findings) {
    this(List.copyOf(findings));
  }

  public Diagnosis {
    findings = List.copyOf(findings);
  }

  /** The worst severity of all findings; {@link Severity#OK} when there is none. */
  public Severity worst() {
    return findings.stream().map(Finding::severity).max(Severity::compareTo).orElse(Severity.OK);
  }

  /** 0 when all is well, 1 with warnings or what is unknown, 2 with dangers. */
  public int exitCode() {
    return switch (worst()) {
      case OK -> 0;
      case UNKNOWN, WARNING -> 1;
      case DANGER -> 2;
    };
  }

  /** How many findings have this severity. */
  public long count(Severity severity) {
    return findings.stream().filter(f -> f.severity() == severity).count();
  }

  /** The findings with which relays and consumers refuse to work. */
  public List<Finding> refusals() {
    return findings.stream().filter(Finding::isRefused).toList();
  }

  /**
   * Returns when nothing has to be refused.
   *
   * @param who does not start, as in {@code "Consumer billing"}
   * @throws UnsafeSettingsException that names each setting, its value and its remedy
   */
  public void refuse(String who) {
    List<Finding> refusals = refusals();
    if (!refusals.isEmpty()) {
      throw new UnsafeSettingsException(who, refusals);
    }
  }
}
