package dev.twinbox.relay.deadletter;

import java.time.Duration;

/** Messages to be sent again are older than the consumers' dedup records. Nothing was sent. */
public final class BeyondHorizonException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param old how many are too old
   * @param all of how many
   * @param horizon for how long consumers keep dedup records
   */
  public BeyondHorizonException(long old, long all, Duration horizon) {
    super(
        ("%s of %s messages are older than the consumers' dedup horizon of %s: a consumer refuses"
                + " and quarantines them, and one with another kind of dedup may process them a"
                + " second time. Leave them out with a later selection, or say that they are to go"
                + " beyond the horizon.")
            .formatted(old, all, horizon));
  }
}
