package dev.twinbox.broker.doctor;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Something does not start because messages could be lost. The message names each setting, what was
 * found and the remedy.
 */
public final class UnsafeSettingsException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  private final transient List<Finding> findings;

  /**
   * Refuses for the given reasons.
   *
   * @param who does not start
   */
  public UnsafeSettingsException(String who, List<Finding> findings) {
    super(
        findings.stream()
            .map(finding -> "\n- " + finding)
            .collect(
                Collectors.joining(
                    "",
                    who + " does not start, because messages could be lost:",
                    "\nMend that; on a developer's machine, development() or --development lets it"
                        + " start all the same.")));
    this.findings = List.copyOf(findings);
  }

  /** Why; empty after deserialization. */
  public List<Finding> findings() {
    return findings == null ? List.of() : findings;
  }
}
