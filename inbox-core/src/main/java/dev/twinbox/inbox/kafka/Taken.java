package dev.twinbox.inbox.kafka;

import dev.twinbox.inbox.Delivery;
import java.util.Optional;

/**
 * A record in hand.
 *
 * @param retry whether it failed before and stands at the head of its partition again
 */
record Taken(
    PartitionHand hand,
    long offset,
    Optional<Integer> leaderEpoch,
    Delivery delivery,
    boolean retry) {

  Taken asRetry() {
    return new Taken(hand, offset, leaderEpoch, delivery.again(), true);
  }

  int bytes() {
    byte[] payload = delivery.payload();
    return payload == null ? 0 : payload.length;
  }
}
