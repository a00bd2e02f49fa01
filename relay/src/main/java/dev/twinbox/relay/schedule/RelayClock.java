package dev.twinbox.relay.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * This machine's clock, and how far it is from the database's, as the last heartbeat found it.
 * Thread-safe.
 */
public final class RelayClock {
  private static final Duration TOLERATED = Duration.ofSeconds(5);

  /** By default, Kafka refuses times that are farther ahead. */
  private static final Duration DANGEROUS = Duration.ofHours(1);

  private final InstantSource machine;
  private volatile Duration ahead = Duration.ZERO;

  /**
   * @param machine this machine's clock
   */
  public RelayClock(InstantSource machine) {
    this.machine = machine;
  }

  /** The time by this machine. */
  public Instant machine() {
    return machine.instant();
  }

  /**
   * The time by the database, as far as that is known: this machine's, set right where the two are
   * far apart. A few seconds may be the heartbeat's own and are left.
   */
  public Instant database() {
    Duration known = ahead;
    return isOff(known) ? machine.instant().minus(known) : machine.instant();
  }

  /** How far this machine's clock is ahead of the database's; negative when behind. */
  public Duration ahead() {
    return ahead;
  }

  /** Takes note of what a heartbeat found. */
  void isAhead(Duration found) {
    ahead = found;
  }

  /** Whether the two clocks are farther apart than a heartbeat takes. */
  boolean isOff() {
    return isOff(ahead);
  }

  /** Whether the clocks are so far apart that a broker can refuse this machine's time. */
  public boolean isDangerous() {
    return ahead.abs().compareTo(DANGEROUS) > 0;
  }

  private static boolean isOff(Duration ahead) {
    return ahead.abs().compareTo(TOLERATED) > 0;
  }

  /** As in {@code 7200 s ahead of}. */
  public String text() {
    return ahead.abs().toSeconds() + " s " + (ahead.isNegative() ? "behind" : "ahead of");
  }
}
