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
public record CheckedDelivery(
    Delivery delivery, UUID id, @Nullable QuarantineReason refusal, @Nullable String detail) {
  /** Stands for no id. */
  public static final UUID NO_ID = new UUID(0, 0);

  /** Its handler gets it. */
  public CheckedDelivery(Delivery delivery, UUID id) {
    this(delivery, id, null, null);
  }

  /** Whether it can be recorded. */
  public boolean hasId() {
    return !id.equals(NO_ID);
  }
}
