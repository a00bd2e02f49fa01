package dev.twinbox.inbox;

import org.jspecify.annotations.Nullable;

/**
 * Deliveries for {@link Inbox#receiveEach}, one after another, from somebody who has more of them
 * in hand. Called by the receiving thread only.
 *
 * <p>One delivery can be taken ahead: it is asked for when the handler of the one before has ended,
 * and before that one is committed.
 */
public interface Succession {
  /** The next delivery, or null when none is in hand now. Does not wait for one. */
  @Nullable Delivery next();

  /**
   * What became of the longest taken delivery that this was not called for yet. Committed before,
   * as every receipt. Where it is not {@link Receipt#settled()}, no other delivery is begun. Return
   * soon: the next one's transaction may be open.
   */
  void received(Receipt receipt);
}
