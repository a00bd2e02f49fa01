package dev.twinbox.broker.doctor;

import java.util.Locale;

/** How bad a finding is; later ones are worse. */
public enum Severity {
  /** Looked at, and as it should be. */
  OK,
  /** Could not be looked at, which is not the same as fine. */
  UNKNOWN,
  /** Loses nothing by itself, but will hurt. */
  WARNING,
  /** Can lose messages, or keeps them from being published or handled at all. */
  DANGER;

  /** Lower case, as printed in JSON. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }
}
