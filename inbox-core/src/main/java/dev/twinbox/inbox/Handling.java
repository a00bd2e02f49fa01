package dev.twinbox.inbox;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The calls of the handler in one transaction, and how far they came. For one thread. */
final class Handling {
  private static final String ENDED =
      "The handler has ended the inbox's transaction, past what it was given. Throw an exception to"
          + " roll it back, or use a savepoint.";
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt DUPLICATE = new Receipt.Duplicate();

  private final List<CheckedDelivery> deliveries;
  private final Handler handler;
  private final Interruption interruption;
  private long slowestNanos;
  private int handling;
  private boolean seenToEnd;

  Handling(List<CheckedDelivery> deliveries, Handler handler, Interruption interruption) {
    this.deliveries = deliveries;
    this.handler = handler;
    this.interruption = interruption;
  }

  /**
   * Calls the handler for each of the fresh ones, in order.
   *
   * @param over whether the driver knows that no transaction is open any more
   */
  List<Receipt> all(InboxTransaction work, Set<UUID> fresh, BooleanSupplier over) throws Exception {
    List<Receipt> receipts = new ArrayList<>(deliveries.size());
    for (int i = 0; i < deliveries.size(); i++) {
      CheckedDelivery checked = deliveries.get(i);
      if (fresh.contains(checked.id())) {
        interruption.beforeHandler();
        handling = i;
        long since = System.nanoTime();
        try {
          handler.handle(checked.delivery(), work);
        } finally {
          slowestNanos = Math.max(slowestNanos, System.nanoTime() - since);
          seenToEnd = over.getAsBoolean();
        }
        if (seenToEnd) {
          throw new IllegalStateException(ENDED);
        }
        receipts.add(PROCESSED);
      } else {
        receipts.add(DUPLICATE);
      }
    }
    return receipts;
  }

  /** What a handler has committed, if one has; which one it was can be uncertain. */
  @Nullable EndedTransaction ended(Recorded recorded, Throwable error) {
    String xid = recorded.transaction();
    return xid == null
        ? null
        : new EndedTransaction(
            xid, deliveries, recorded.ids(), seenToEnd ? handling : 0, handling, error);
  }

  /** Whether a handler took longer than that. */
  boolean tookLongerThan(Duration limit) {
    return slowestNanos > limit.toNanos();
  }
}
