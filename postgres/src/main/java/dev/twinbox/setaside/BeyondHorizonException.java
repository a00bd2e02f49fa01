package dev.twinbox.setaside;

import java.time.Duration;

/**
 * Messages of an act are older than the consumers' dedup records, so nobody can say whether they
 * were processed. Nothing was done.
 */
public final class BeyondHorizonException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final long count;

  /**
   * @param old how many are too old
   * @param all of how many
   * @param horizon for how long consumers keep dedup records
   */
  BeyondHorizonException(long old, long all, Duration horizon) {
    super(
        ("%s of %s messages are older than the consumers' dedup horizon of %s: nobody can say any"
                + " more whether they were processed. Sent again, consumers refuse and quarantine"
                + " them; handled again, their effects may happen twice. Nothing was done: leave"
                + " them out, or say that they are to go beyond the dedup horizon.")
            .formatted(old, all, horizon));
    count = old;
  }

  /** How many are too old. */
  public long count() {
    return count;
  }
}
