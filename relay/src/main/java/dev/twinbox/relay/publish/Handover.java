package dev.twinbox.relay.publish;

import org.jspecify.annotations.Nullable;

/**
 * A record that a publisher has taken over, until its one outcome. Publishers extend it with what
 * they need to know. Guarded by the lock of its {@link Settlements}.
 */
public abstract class Handover {
  private final OutboxRecord record;
  private final OutcomeListener listener;
  private @Nullable Outcome outcome;

  protected Handover(OutboxRecord record, OutcomeListener listener) {
    this.record = record;
    this.listener = listener;
  }

  public final OutboxRecord record() {
    return record;
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
