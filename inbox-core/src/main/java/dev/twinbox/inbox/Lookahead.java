package dev.twinbox.inbox;

import org.jspecify.annotations.Nullable;

/** Checks the deliveries of a source, and takes one of them ahead. For one thread. */
final class Lookahead {
  private final DeliverySource deliveries;
  private final Admission admission;
  private final Registration registration;
  private @Nullable Delivery ahead;
  private boolean begun;

  Lookahead(DeliverySource deliveries, Admission admission, Registration registration) {
    this.deliveries = deliveries;
    this.admission = admission;
    this.registration = registration;
  }

  /**
   * The next delivery, or null when none is in hand or the registration is too old to judge it. For
   * the first one it never is: whoever gave it out knew how old it was.
   */
  @Nullable CheckedDelivery take() {
    CheckedDelivery next = see(!begun || registration.isFresh());
    begun |= next != null;
    ahead = null;
    return next;
  }

  /**
   * The same where nothing is recorded before the handler's transaction, for which a second
   * connection would be needed; null otherwise, and it stays what comes next.
   */
  @Nullable CheckedDelivery takeIfPlain() {
    CheckedDelivery next = see(registration.isFresh());
    if (next == null || next.refusal() != null || next.delivery().redelivered()) {
      return null;
    }
    ahead = null;
    return next;
  }

  /** What was taken is what comes next after all. */
  void giveBack(CheckedDelivery checked) {
    ahead = checked.delivery();
  }

  private @Nullable CheckedDelivery see(boolean mayJudge) {
    if (!mayJudge) {
      return null;
    }
    if (ahead == null) {
      ahead = deliveries.next();
    }
    return ahead == null ? null : admission.judge(ahead, registration);
  }
}
