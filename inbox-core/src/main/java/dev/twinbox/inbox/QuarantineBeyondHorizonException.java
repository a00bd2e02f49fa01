package dev.twinbox.inbox;

/**
 * Messages of a redrive are beyond the dedup horizon: nobody can say whether they were processed,
 * so handling them may make their effects happen twice. Nothing was done.
 */
public final class QuarantineBeyondHorizonException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final long count;

  QuarantineBeyondHorizonException(long count) {
    super(
        ("%s of the messages are beyond the dedup horizon: nobody can say any more whether they"
                + " were processed, and handling them may make their effects happen twice. Leave them"
                + " out, or say that they are meant.")
            .formatted(count));
    this.count = count;
  }

  /** How many they are. */
  public long count() {
    return count;
  }
}
