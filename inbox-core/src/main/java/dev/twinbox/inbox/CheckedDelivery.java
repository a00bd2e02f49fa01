package dev.twinbox.inbox;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A delivery with its id in the inbox, and with the reason why it is refused, if it is.
 *
 * @param id its UUID in the inbox; {@link #NO_ID} when it has none
 * @param refusal why its handler does not get it, or null when it does
 * @param detail more about the refusal
 */
record CheckedDelivery(
    Delivery delivery, UUID id, @Nullable QuarantineReason refusal, @Nullable String detail) {
  static final UUID NO_ID = new UUID(0, 0);

  CheckedDelivery(Delivery delivery, UUID id) {
    this(delivery, id, null, null);
  }

  boolean hasId() {
    return !id.equals(NO_ID);
  }
}
