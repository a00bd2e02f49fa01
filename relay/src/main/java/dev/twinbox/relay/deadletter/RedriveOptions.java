package dev.twinbox.relay.deadletter;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How dead letters are sent again.
 *
 * @param by who does it, for the audit
 * @param perSecond the most messages a second, or null for as fast as it goes
 * @param timeToLive when they expire anew, from now; null for not at all, or as they did when that
 *     is still to come
 * @param beyondHorizon whether messages go too that are older than the consumers' dedup horizon
 */
public record RedriveOptions(
    String by, @Nullable Integer perSecond, @Nullable Duration timeToLive, boolean beyondHorizon) {

  public RedriveOptions {
    if (by.isBlank()) {
      throw new IllegalArgumentException("by is blank; name who does this, for the audit.");
    }
    if (perSecond != null && perSecond < 1) {
      throw new IllegalArgumentException(
          "perSecond is %s; the smallest is 1.".formatted(perSecond));
    }
    if (timeToLive != null && (timeToLive.isNegative() || timeToLive.isZero())) {
      throw new IllegalArgumentException(
          "timeToLive is %s; it must be longer than nothing.".formatted(timeToLive));
    }
  }

  /** As fast as it goes, without a new expiry, and not beyond the horizon. */
  public static RedriveOptions by(String who) {
    return new RedriveOptions(who, null, null, false);
  }

  /** This, with at most {@code messages} a second. */
  public RedriveOptions perSecond(int messages) {
    return new RedriveOptions(by, messages, timeToLive, beyondHorizon);
  }

  /** This, with a new expiry. */
  public RedriveOptions timeToLive(Duration fromNow) {
    return new RedriveOptions(by, perSecond, fromNow, beyondHorizon);
  }

  /** This, with messages that are older than the consumers' dedup horizon. */
  public RedriveOptions evenBeyondHorizon() {
    return new RedriveOptions(by, perSecond, timeToLive, true);
  }
}
