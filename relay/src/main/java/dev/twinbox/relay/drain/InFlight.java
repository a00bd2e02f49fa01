package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.OutcomeListener;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What was handed over and is not yet settled, in the lane's order. Used by the lane's thread; only
 * a slot's outcome is set by others.
 */
final class InFlight {
  private static final long CONFIRM_AFTER_EXPIRY_NANOS = Duration.ofMillis(250).toNanos();

  private final Deque<Slot> slots = new ArrayDeque<>();
  private final Wakeup wakeup;
  private long bytes;
  private @Nullable Long nextExpiry;
  private volatile boolean troubled;

  InFlight(Wakeup wakeup) {
    this.wakeup = wakeup;
  }

  /** A place in the order: one record and, in time, its outcome. */
  final class Slot implements OutcomeListener {
    final OutboxRecord record;
    private final @Nullable Long expiresAt;
    private long handedOverAt = System.nanoTime();
    private final long bytes;
    private boolean waiting;
    private volatile @Nullable Outcome outcome;

    private Slot(OutboxRecord record, @Nullable Long expiresAt) {
      this.record = record;
      this.expiresAt = expiresAt;
      this.bytes = record.size();
    }

    /** It is kept back behind another message of its key: nobody owes it an outcome. */
    void waits() {
      waiting = true;
    }

    /** It was handed over, at last. */
    void handedOver() {
      waiting = false;
      handedOverAt = System.nanoTime();
      expiresNext(expiresAt);
    }

    /** Whether it is kept back. */
    boolean isWaiting() {
      return waiting;
    }

    /** Whether it must not be handed over any more. */
    boolean isExpired(long now) {
      return expiresAt != null && now - expiresAt >= 0;
    }

    /** What became of it is stored elsewhere, so that the lane's order may go on over it. */
    void stored() {
      outcome = Outcome.PUBLISHED;
    }

    private boolean isOwed() {
      return outcome == null && !waiting;
    }

    @Override
    public void settled(OutboxRecord settled, Outcome result) {
      outcome = result;
      if (!(result instanceof Outcome.Published) && !(result instanceof Outcome.Rejected)) {
        troubled = true;
      }
      wakeup.wake();
    }

    @Override
    public @Nullable Long deadline() {
      return expiresAt;
    }

    @Nullable Outcome outcome() {
      return outcome;
    }
  }

  /**
   * Puts a record at the end.
   *
   * @param expiresAt when it expires, in terms of {@link System#nanoTime}, or null for never
   */
  Slot add(OutboxRecord record, @Nullable Long expiresAt) {
    Slot slot = new Slot(record, expiresAt);
    expiresNext(expiresAt);
    slots.addLast(slot);
    bytes += slot.bytes;
    return slot;
  }

  private void expiresNext(@Nullable Long expiresAt) {
    if (expiresAt != null && (nextExpiry == null || expiresAt - nextExpiry < 0)) {
      nextExpiry = expiresAt;
    }
  }

  /** The first slot in order, or null. */
  @Nullable Slot head() {
    return slots.peekFirst();
  }

  void removeHead() {
    bytes -= slots.removeFirst().bytes;
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

  /**
   * Whether a record expired some moments ago and still has no outcome. The publisher itself sends
   * nothing that has expired; what it cannot know of is what has gone and is not confirmed.
   */
  boolean hasExpired(long now) {
    if (nextExpiry == null || now - nextExpiry < CONFIRM_AFTER_EXPIRY_NANOS) {
      return false;
    }
    Long next = null;
    boolean expired = false;
    for (Slot slot : slots) {
      Long expiresAt = slot.expiresAt;
      if (expiresAt != null && slot.isOwed()) {
        expired |= now - expiresAt >= CONFIRM_AFTER_EXPIRY_NANOS;
        next = next == null || expiresAt - next < 0 ? expiresAt : next;
      }
    }
    nextExpiry = next;
    return expired;
  }

  /** Keys of messages that have no outcome yet, or one that lets them go out again. */
  Set<String> undecidedKeys() {
    Set<String> keys = new HashSet<>();
    for (Slot slot : slots) {
      String key = slot.record.key();
      if (key != null && !(slot.outcome instanceof Outcome.Published)) {
        keys.add(key);
      }
    }
    return keys;
  }

  /** When the oldest without an outcome was handed over, or null. */
  @Nullable Long unsettledSince() {
    for (Slot slot : slots) {
      if (slot.isOwed()) {
        return slot.handedOverAt;
      }
    }
    return null;
  }

  /** How many were handed over and have no outcome yet. */
  int unsettled() {
    int count = 0;
    for (Slot slot : slots) {
      if (slot.isOwed()) {
        count++;
      }
    }
    return count;
  }

  void clear() {
    slots.clear();
    bytes = 0;
    nextExpiry = null;
    troubled = false;
  }
}
