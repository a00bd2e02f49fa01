package dev.twinbox.setaside;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Who changes set aside messages, and how: {@code Act.by("alice").perSecond(20).exactly(17)}.
 * Immutable.
 *
 * @param by who does it, for the audit
 * @param perSecond the most messages a second; null for the default: as fast as it goes, or 50 for
 *     a redrive by consumers
 * @param timeToLive when messages that are sent again expire, from now; null for as they did when
 *     that is still to come, and otherwise not at all
 * @param beyondHorizon whether messages go too that are older than the consumers' dedup records
 * @param exactly how many they have to be for anything to be done, or null for any number
 * @param progress hears how far a long act has come
 */
public record Act(
    String by,
    @Nullable Double perSecond,
    @Nullable Duration timeToLive,
    boolean beyondHorizon,
    @Nullable Long exactly,
    Progress progress) {
  private static final int LONGEST_NAME = 200;
  private static final double MOST_PER_SECOND = 100_000;

  /** Hears how far a long act has come. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Called after each transaction.
     *
     * @param done how many messages by now
     * @param all of how many at the start
     * @param last up to which number
     */
    void reached(long done, long all, long last);
  }

  public Act {
    if (by.isBlank() || by.length() > LONGEST_NAME || by.indexOf('\u0000') >= 0) {
      throw new IllegalArgumentException(
          "by is blank or too long; name who does this, with 1 to %s characters."
              .formatted(LONGEST_NAME));
    }
    if (perSecond != null && !(perSecond > 0 && perSecond <= MOST_PER_SECOND)) {
      throw new IllegalArgumentException(
          "perSecond is %s; choose more than 0 and at most 100,000.".formatted(perSecond));
    }
    if (timeToLive != null && (timeToLive.isNegative() || timeToLive.isZero())) {
      throw new IllegalArgumentException(
          "timeToLive is %s; it must be longer than nothing.".formatted(timeToLive));
    }
  }

  /** Done by the given operator at the default pace, not beyond the horizon. */
  public static Act by(String who) {
    return new Act(who, null, null, false, null, (done, all, last) -> {});
  }

  /** This, with at most N messages a second; 0.1 is one in ten seconds. */
  public Act perSecond(double messages) {
    return new Act(by, messages, timeToLive, beyondHorizon, exactly, progress);
  }

  /** This, with a new expiry. */
  public Act timeToLive(Duration fromNow) {
    return new Act(by, perSecond, fromNow, beyondHorizon, exactly, progress);
  }

  /** This, with messages that are older than the consumers' dedup records. */
  public Act evenBeyondHorizon() {
    return new Act(by, perSecond, timeToLive, true, exactly, progress);
  }

  /** This, unless they are not exactly N: then nothing is done. */
  public Act exactly(long count) {
    return new Act(by, perSecond, timeToLive, beyondHorizon, count, progress);
  }

  /** This, with a listener. */
  public Act progress(Progress listener) {
    return new Act(by, perSecond, timeToLive, beyondHorizon, exactly, listener);
  }
}
