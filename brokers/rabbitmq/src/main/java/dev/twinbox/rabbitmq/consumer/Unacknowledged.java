package dev.twinbox.rabbitmq.consumer;

import dev.twinbox.inbox.Delivery;

/**
 * A delivery that the broker waits to hear about.
 *
 * @param tag its number in the channel
 */
record Unacknowledged(long tag, Delivery delivery) {
  Unacknowledged again() {
    return new Unacknowledged(tag, delivery.again());
  }
}
