package dev.twinbox.setaside;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a selection is at this moment, so that what comes later does not get into it.
 *
 * @param count how many messages match
 * @param lowest the lowest of their numbers; 0 for none
 * @param highest the highest of their numbers; 0 for none
 * @param beyondHorizon how many of them are so old that nobody can say whether consumers have
 *     processed them
 * @param horizon for how long consumers keep dedup records
 */
public record Preview(long count, long lowest, long highest, long beyondHorizon, Duration horizon) {

  /** What is counted only, of which nothing is read any more. */
  public static Preview of(long count, long beyondHorizon, @Nullable Long horizonSeconds) {
    return new Preview(
        count,
        0,
        0,
        beyondHorizon,
        Duration.ofSeconds(horizonSeconds == null ? 0 : horizonSeconds));
  }
}
