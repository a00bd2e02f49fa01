package dev.twinbox.relay.drain;

import dev.twinbox.relay.publish.OutboxRecord;
import dev.twinbox.relay.publish.Outcome;
import dev.twinbox.relay.publish.OutcomeListener;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What was handed over and is not yet settled, in the lane's order. Used by the lane's thread; only
 * a slot's outcome is set by others.
 */
final class InFlight {
  private final Deque<Slot> slots = new ArrayDeque<>();
  private final Wakeup wakeup;
  private long bytes;
  private volatile boolean troubled;

  InFlight(Wakeup wakeup) {
    this.wakeup = wakeup;
  }

  /** A place in the order: one record and, in time, its outcome. */
  final class Slot implements OutcomeListener {
    final OutboxRecord record;
    private volatile @Nullable Outcome outcome;

    private Slot(OutboxRecord record) {
      this.record = record;
    }

    @Override
    public void settled(OutboxRecord settled, Outcome result) {
      outcome = result;
      if (!(result instanceof Outcome.Published) && !(result instanceof Outcome.Rejected)) {
        troubled = true;
      }
      wakeup.wake();
    }

    @Nullable Outcome outcome() {
      return outcome;
    }
  }

  Slot add(OutboxRecord record) {
    Slot slot = new Slot(record);
    slots.addLast(slot);
    bytes += record.size();
    return slot;
  }

  /** The first slot in order, or null. */
  @Nullable Slot head() {
    return slots.peekFirst();
  }

  void removeHead() {
    bytes -= slots.removeFirst().record.size();
  }

  Iterable<Slot> inOrder() {
    return slots;
  }

  boolean isEmpty() {
    return slots.isEmpty();
  }

  int rows() {
    return slots.size();
  }

  long bytes() {
    return bytes;
  }

  /** Whether some outcome was neither Published nor Rejected. */
  boolean isTroubled() {
    return troubled;
  }

  int unsettled() {
    int count = 0;
    for (Slot slot : slots) {
      if (slot.outcome == null) {
        count++;
      }
    }
    return count;
  }

  void clear() {
    slots.clear();
    bytes = 0;
    troubled = false;
  }
}
