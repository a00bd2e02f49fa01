package dev.twinbox.broker;

import org.jspecify.annotations.Nullable;

/**
 * A record that a publisher has taken over, until its one outcome. Publishers extend it with what
 * they need to know. Guarded by the lock of its {@link OutcomeQueue}.
 */
public abstract class PendingRecord {
  private final OutboxRecord record;
  private final OutcomeListener listener;
  private final @Nullable Long deadline;
  private @Nullable Outcome outcome;

  protected PendingRecord(OutboxRecord record, OutcomeListener listener) {
    this.record = record;
    this.listener = listener;
    this.deadline = listener.deadline();
  }

  public final OutboxRecord record() {
    return record;
  }

  /** Whether it must not be handed to the broker any more. */
  public final boolean hasExpired(long now) {
    return deadline != null && now - deadline >= 0;
  }

  /** Whether there is a time from which on it must not be handed to the broker. */
  public final boolean mayExpire() {
    return deadline != null;
  }

  /** For how many nanoseconds more it may be handed to the broker; null for ever. */
  public final @Nullable Long nanosLeft(long now) {
    return deadline == null ? null : Long.valueOf(deadline - now);
  }

  /** What becomes of it when it has expired unsent. */
  public final Outcome expired() {
    return new Outcome.Rejected(
        Outcome.Reason.EXPIRED, "It expired at " + record.expiresAt() + ", unsent.");
  }

  /** Whether its outcome is known, though perhaps not yet told. */
  public final boolean isSettled() {
    return outcome != null;
  }

  final void settle(Outcome known) {
    outcome = known;
  }

  final void tell() {
    Outcome known = outcome;
    if (known != null) {
      listener.settled(record, known);
    }
  }
}
