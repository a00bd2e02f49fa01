package dev.twinbox.inbox;

import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Decides which deliveries their handler may see. Knows no database; thread-safe. */
final class Admission {
  private static final int LONGEST_ID = 1024;
  private static final int MOST_HEADER_CHARACTERS = 256 * 1024;

  private final Set<String> expectedDestinations;

  Admission(Set<String> expectedDestinations) {
    this.expectedDestinations = expectedDestinations;
  }

  Arrival judge(Delivery delivery, Registration registration) {
    String defect = defect(delivery);
    if (defect != null) {
      return new Arrival(delivery, Arrival.NO_ID, QuarantineReason.BROKEN_HEADERS, defect);
    }
    String id = delivery.id();
    if (id == null || id.isEmpty()) {
      return new Arrival(
          delivery, Arrival.NO_ID, QuarantineReason.NO_ID, "The message has no id header.");
    }
    UUID version7 = MessageIds.version7(id);
    UUID known = version7;
    if (known == null) {
      known = MessageIds.foreign(delivery.source(), id);
    } else if (MessageIds.millis(known) < registration.keptFrom()) {
      known = MessageIds.old(known);
    }
    String destination = delivery.destination();
    if (destination != null
        && !expectedDestinations.isEmpty()
        && !expectedDestinations.contains(destination)) {
      return new Arrival(
          delivery,
          known,
          QuarantineReason.WRONG_DESTINATION,
          "Sent to '%s'; this consumer takes %s.".formatted(destination, expectedDestinations));
    }
    if (version7 != null && registration.refuses(MessageIds.millis(version7))) {
      return new Arrival(
          delivery,
          known,
          QuarantineReason.OLDER_THAN_DEDUP_HORIZON,
          "Its id is of %s; dedup records are kept for %s hours."
              .formatted(
                  Instant.ofEpochMilli(MessageIds.millis(version7)),
                  registration.horizon() / 3_600_000));
    }
    Instant expiresAt = delivery.expiresAt();
    if (expiresAt != null && expiresAt.toEpochMilli() <= registration.now()) {
      return new Arrival(delivery, known, QuarantineReason.EXPIRED, "It expired at " + expiresAt);
    }
    return new Arrival(delivery, known);
  }

  private static @Nullable String defect(Delivery delivery) {
    if (delivery.defect() != null) {
      return delivery.defect();
    }
    String id = delivery.id();
    if (id != null && id.length() > LONGEST_ID) {
      return "The id has %d characters; the limit is %d.".formatted(id.length(), LONGEST_ID);
    }
    long size = 0;
    for (Map.Entry<String, String> header : delivery.headers().entrySet()) {
      size += header.getKey().length() + header.getValue().length();
    }
    return size <= MOST_HEADER_CHARACTERS
        ? null
        : "The headers have %d characters; the limit is %d."
            .formatted(size, MOST_HEADER_CHARACTERS);
  }
}
