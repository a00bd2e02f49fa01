package dev.twinbox.inbox;

import dev.twinbox.broker.BrokerKind.Consumption;
import dev.twinbox.broker.BrokerKinds;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Decides which deliveries their handler may see, for implementations of {@link Receiver}. Knows no
 * database; thread-safe.
 */
public final class Admission {
  private static final int LONGEST_ID_BYTES = 1024;
  private static final int MOST_HEADER_CHARACTERS = 256 * 1024;

  private final Set<String> expectedDestinations;

  /**
   * @param expectedDestinations what is taken; everything when empty
   */
  public Admission(Set<String> expectedDestinations) {
    this.expectedDestinations = Set.copyOf(expectedDestinations);
  }

  /** Finds the id under which a delivery is recorded, and whether it is refused. */
  public CheckedDelivery judge(Delivery delivery, AdmissionTerms registration) {
    String defect = defect(delivery);
    if (defect != null) {
      return new CheckedDelivery(
          delivery, CheckedDelivery.NO_ID, QuarantineReason.BROKEN_HEADERS, defect);
    }
    String id = delivery.id();
    if (id == null || AttributeText.plain(id).isEmpty()) {
      return new CheckedDelivery(
          delivery, CheckedDelivery.NO_ID, QuarantineReason.NO_ID, "The message has no id header.");
    }
    UUID version7 = InboxIds.version7(id);
    UUID known = version7;
    if (known == null) {
      known = InboxIds.foreign(sender(delivery, id), id);
    } else if (InboxIds.millis(known) < registration.keptFrom()) {
      known = InboxIds.old(known);
    }
    String destination = delivery.destination();
    if (destination != null
        && !expectedDestinations.isEmpty()
        && !expectedDestinations.contains(destination)) {
      return new CheckedDelivery(
          delivery,
          known,
          QuarantineReason.WRONG_DESTINATION,
          "Sent to '%s'; this consumer takes %s.".formatted(destination, expectedDestinations));
    }
    if (version7 != null && registration.refuses(InboxIds.millis(version7))) {
      return new CheckedDelivery(
          delivery,
          known,
          QuarantineReason.OLDER_THAN_DEDUP_HORIZON,
          "Its id is of %s; dedup records are kept for %s hours."
              .formatted(
                  Instant.ofEpochMilli(InboxIds.millis(version7)),
                  registration.horizon() / 3_600_000));
    }
    Instant expiresAt = delivery.expiresAt();
    if (expiresAt != null && expiresAt.toEpochMilli() <= registration.now()) {
      return new CheckedDelivery(
          delivery, known, QuarantineReason.EXPIRED, "It expired at " + expiresAt);
    }
    return new CheckedDelivery(delivery, known);
  }

  /**
   * Who gives out foreign ids of this kind. Many producers count from 1 and name no source: then
   * the topic or queue stands for it, which is the origin without partition, offset and id.
   */
  private static String sender(Delivery delivery, String id) {
    if (delivery.source() != null) {
      return delivery.source();
    }
    String origin = delivery.origin();
    return BrokerKinds.of(origin)
        .map(kind -> place(kind.consumption(), origin, id))
        .map(place -> "\u0000" + place)
        .orElse("");
  }

  /** The topic or queue with its broker; null when the origin does not name it. */
  static @Nullable String place(Consumption consumption, String origin, String id) {
    int end =
        switch (consumption) {
          case TOPICS -> origin.indexOf('/');
          case QUEUES -> origin.endsWith("/" + id) ? origin.length() - id.length() - 1 : -1;
        };
    return end < 1 ? null : origin.substring(0, end);
  }

  private static @Nullable String defect(Delivery delivery) {
    if (delivery.defect() != null) {
      return delivery.defect();
    }
    String id = delivery.id();
    int idBytes = id == null ? 0 : id.getBytes(StandardCharsets.UTF_8).length;
    if (idBytes > LONGEST_ID_BYTES) {
      return "The id has %s bytes; the limit is %s.".formatted(idBytes, LONGEST_ID_BYTES);
    }
    long size = 0;
    for (Map.Entry<String, String> header : delivery.headers().entrySet()) {
      size += header.getKey().length() + header.getValue().length();
    }
    return size <= MOST_HEADER_CHARACTERS
        ? null
        : "The headers have %s characters; the limit is %s."
            .formatted(size, MOST_HEADER_CHARACTERS);
  }
}
