package dev.twinbox.outbox;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Checks of points in time: what PostgreSQL, a UUIDv7 and RFC 3339 can all express. */
final class Times {
  private static final Instant FIRST = Instant.EPOCH;
  private static final Instant LAST = Instant.parse("9999-12-31T23:59:59.999999Z");
  private static final Duration LONGEST = Duration.ofDays(36_500);

  private Times() {}

  static Instant checked(String field, @Nullable Instant value) {
    Instant instant = Texts.present(field, value, "Leave it out for none.");
    if (instant.isBefore(FIRST) || instant.isAfter(LAST)) {
      throw new InvalidMessageException(
          field,
          "%s is %s; use a time from %s to %s, or leave it out for none."
              .formatted(field, instant, FIRST, LAST));
    }
    // PostgreSQL keeps microseconds; cut here, so that what is compared is what is stored.
    return instant.truncatedTo(ChronoUnit.MICROS);
  }

  static Duration checked(String field, @Nullable Duration value, boolean zeroAllowed) {
    Duration duration = Texts.present(field, value, "Leave it out for none.");
    if (duration.isNegative()
        || (duration.isZero() && !zeroAllowed)
        || duration.compareTo(LONGEST) > 0) {
      throw new InvalidMessageException(
          field,
          "%s is %s; use %s up to %s days, or leave it out for none."
              .formatted(
                  field, duration, zeroAllowed ? "zero" : "more than zero", LONGEST.toDays()));
    }
    return duration;
  }

  static @Nullable Long micros(@Nullable Duration duration) {
    // A ttl of less than a microsecond still is one: zero would mean expired at once.
    return duration == null
        ? null
        : Math.addExact(duration.getSeconds() * 1_000_000, (duration.getNano() + 999) / 1000);
  }
}
