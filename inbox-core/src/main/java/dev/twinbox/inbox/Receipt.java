package dev.twinbox.inbox;

import java.time.Duration;

/**
 * What became of a delivery. Whatever a receipt says was committed durably before it was given.
 *
 * <p>{@link #settled()} deliveries are acknowledged to the broker; the others come again.
 */
public sealed interface Receipt {
  /** The handler's effects are committed. */
  record Processed() implements Receipt {}

  /** It was processed or quarantined before: nothing was changed. */
  record Duplicate() implements Receipt {}

  /** Its expiry time has passed; it was not handled and lies in quarantine. */
  record Expired() implements Receipt {}

  /**
   * Nobody can say any more whether it was processed, so it was not; it lies in quarantine, where
   * an operator can let it through.
   */
  record Refused(QuarantineReason reason) implements Receipt {}

  /**
   * It was given up and lies in quarantine.
   *
   * @param attempts how often its handler was tried; 0 when it never got there
   */
  record Quarantined(QuarantineReason reason, int attempts) implements Receipt {}

  /**
   * Its handler failed and everything it wrote is rolled back.
   *
   * @param attempts failures so far, this one included
   * @param retryAfter how long to wait before it is delivered again
   */
  record Failed(int attempts, Duration retryAfter, Throwable error) implements Receipt {}

  /**
   * Not tried: an earlier delivery of the batch with the same key has failed, another process has
   * it in work, or its type is waited for ({@link TypedHandlers.Builder#waitForUnknown}).
   *
   * @param retryAfter how long to wait before it is delivered again; zero where it goes behind
   *     another delivery
   */
  record Held(Duration retryAfter) implements Receipt {
    /** Behind another delivery. */
    public Held() {
      this(Duration.ZERO);
    }
  }

  /** How long to wait before it is delivered again; zero for what is settled. */
  default Duration retryAfter() {
    return Duration.ZERO;
  }

  /** Whether the broker can forget the message. */
  default boolean settled() {
    return !(this instanceof Failed || this instanceof Held);
  }
}
