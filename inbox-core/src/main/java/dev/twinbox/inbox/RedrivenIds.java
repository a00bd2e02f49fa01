package dev.twinbox.inbox;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which ids a redriven message is recorded under. If one of them is there already, the message has
 * been processed; except for the one under which it was given up.
 *
 * @param all at least one
 * @param givenUp the id that was recorded when the message was given up, or null
 */
record RedrivenIds(List<UUID> all, @Nullable UUID givenUp) {
  RedrivenIds {
    all = List.copyOf(all);
  }

  static RedrivenIds of(RedriveStore.Claimed claimed, Registration registration) {
    UUID id = claimed.messageId();
    if (id == null) {
      // Has none: its place and contents stand for it, so that it is not redriven twice.
      String place = claimed.delivery().origin() + "\u0000" + claimed.fingerprint();
      return new RedrivenIds(List.of(InboxIds.foreign("\u0000quarantine", place)), null);
    }
    List<UUID> all = new ArrayList<>(2);
    boolean timed = InboxIds.isTimed(id);
    if (!timed || !registration.closed(InboxIds.millis(id))) {
      all.add(id);
    }
    if (timed && registration.beyondHorizon(InboxIds.millis(id))) {
      // Its day is dropped, or will be. This one is kept, also where an operator's pass meets it.
      all.add(InboxIds.old(id));
    }
    return new RedrivenIds(all, claimed.idRecorded() ? id : null);
  }

  boolean mayBeRecorded(UUID id) {
    return id.equals(givenUp);
  }
}
