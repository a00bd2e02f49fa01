package dev.twinbox.broker.doctor;

import java.util.Locale;

/**
 * Something that is looked for, with what can come of it: a constant of {@link CommonCheck}, or of
 * the enumeration that a kind of broker has. The codes are stable: scripts may rely on them.
 * docs/operations.md lists them all.
 */
public interface Check {
  /** The constant's name. */
  String name();

  /** The stable code: {@code replication-factor}. */
  default String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What can come of it, in a sentence. */
  String risk();

  /**
   * Whether relays and consumers do not work with it. Not refused is what does no further harm by
   * going on: deployments race, so the publisher itself waits for what is missing; and what is lost
   * already does not come back.
   */
  boolean isRefused();
}
