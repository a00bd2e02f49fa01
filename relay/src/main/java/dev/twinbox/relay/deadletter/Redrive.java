package dev.twinbox.relay.deadletter;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How dead letters are sent again.
 *
 * @param by who does it, for the audit
 * @param perSecond at most so many messages a second, or null for as fast as it goes
 * @param timeToLive when they expire anew, from now; null for not at all, or as they did when that
 *     is still to come
 * @param beyondHorizon whether messages go too that are older than the consumers' dedup horizon
 */
public record Redrive(
    String by, @Nullable Integer perSecond, @Nullable Duration timeToLive, boolean beyondHorizon) {

  public Redrive {
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
  public static Redrive by(String who) {
    return new Redrive(who, null, null, false);
  }

  /** This, at most so many messages a second. */
  public Redrive perSecond(int messages) {
    return new Redrive(by, messages, timeToLive, beyondHorizon);
  }

  /** This, with a new expiry. */
  public Redrive timeToLive(Duration fromNow) {
    return new Redrive(by, perSecond, fromNow, beyondHorizon);
  }

  /** This, with messages that are older than the consumers' dedup horizon. */
  public Redrive evenBeyondHorizon() {
    return new Redrive(by, perSecond, timeToLive, true);
  }
}
