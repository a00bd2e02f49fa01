package dev.twinbox.inbox;

import org.jspecify.annotations.Nullable;

/**
 * Hands out deliveries to {@link Inbox#receiveEach}, one after another. Called by the receiving
 * thread only.
 *
 * <p>One delivery can be taken ahead: it is asked for when the handler of the one before has ended,
 * and before that one is committed.
 */
public interface DeliverySource {
  /** The next delivery, or null when there is none now. Does not wait for one. */
  @Nullable Delivery next();

  /**
   * Reports the outcome of the oldest delivery not yet reported. Its effects are committed by then.
   * Where the receipt is not {@link Receipt#settled()}, no other delivery is begun. Return soon:
   * the next one's transaction may be open.
   */
  void received(Receipt receipt);
}
