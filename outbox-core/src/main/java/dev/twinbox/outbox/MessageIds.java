package dev.twinbox.outbox;

import com.github.f4b6a3.uuid.UuidCreator;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Message ids: UUIDv7, whose time is when the message is due. The inbox finds a message's partition
 * by it and drops old days, so a message that waits for weeks must not carry the day on which it
 * was enqueued.
 */
final class MessageIds {
  /** From here on the inbox keeps hashed ids of other producers: a time in the year 10854. */
  private static final long FOREIGN = 0xffL << 56;

  private MessageIds() {}

  static UUID create(@Nullable Instant deliverAt, @Nullable Duration delay) {
    if (deliverAt == null && delay == null) {
      return UuidCreator.getTimeOrderedEpoch();
    }
    Instant now = Instant.now();
    Instant due = deliverAt != null ? deliverAt : now.plus(delay == null ? Duration.ZERO : delay);
    return due.isAfter(now)
        ? UuidCreator.getTimeOrderedEpoch(due)
        : UuidCreator.getTimeOrderedEpoch();
  }

  static UUID checked(UUID id) {
    boolean foreign = Long.compareUnsigned(id.getMostSignificantBits(), FOREIGN) >= 0;
    if (id.version() != 7 || id.variant() != 2 || foreign) {
      throw new InvalidMessageException(
          "id",
          "id %s is no UUID of version 7 with a time that can be; consumers drop old ids by it. Leave it out to get one."
              .formatted(id));
    }
    return id;
  }
}
