package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Publisher;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Keeps back what follows a message with the same key for as long as that message may still become
 * a dead letter which blocks the key. Publishers go on after a rejection, and Kafka's has several
 * messages of a key under way at once: what was handed over cannot be taken back when the rejection
 * comes. So of a key whose policy blocks, one message is handed over at a time; other keys pass.
 *
 * <p>Used by the lane's thread.
 */
final class BlockingKeys {
  /** A message that would block its key, handed over or settled, and those behind it in order. */
  static final class Line {
    private InFlight.Slot first;
    private boolean isStored;
    private final Deque<InFlight.Slot> waiting = new ArrayDeque<>();

    private Line(InFlight.Slot first) {
      this.first = first;
    }

    /** The message at which the line stands. */
    InFlight.Slot first() {
      return first;
    }

    /** Whether it is stored as a dead letter already. */
    boolean isStored() {
      return isStored;
    }

    /** Those that have not been handed over. */
    Iterable<InFlight.Slot> waiting() {
      return waiting;
    }
  }

  private final Predicate<OutboxRecord> blocks;
  private final Map<String, Line> lines = new HashMap<>();
  private final Set<Line> withWaiting = new LinkedHashSet<>();

  /**
   * @param blocks whether the message would block its key as a dead letter
   */
  BlockingKeys(Predicate<OutboxRecord> blocks) {
    this.blocks = blocks;
  }

  /** Hands the record over, now or when its predecessor is published; or notes that it is lost. */
  void handOver(Publisher publisher, InFlight.Slot slot) {
    String key = slot.record.key();
    if (key == null || mayGo(key, slot)) {
      publish(publisher, slot);
    }
  }

  /** Notes that a record got its outcome without being handed over. */
  void settled(InFlight.Slot slot) {
    String key = slot.record.key();
    if (key != null) {
      boolean unused = mayGo(key, slot);
    }
  }

  private boolean mayGo(String key, InFlight.Slot slot) {
    Line line = lines.get(key);
    if (line == null || (line.waiting.isEmpty() && isPublished(line.first))) {
      if (blocks.test(slot.record)) {
        lines.put(key, new Line(slot));
      } else if (line != null) {
        lines.remove(key);
      }
      return true;
    }
    slot.waits();
    line.waiting.add(slot);
    withWaiting.add(line);
    return false;
  }

  private static void publish(Publisher publisher, InFlight.Slot slot) {
    slot.handedOver();
    if (slot.outcome() == null) {
      publisher.publish(slot.record, slot);
    }
  }

  private static boolean isPublished(InFlight.Slot slot) {
    return slot.outcome() instanceof Outcome.Published;
  }

  /** Whether any record has not been handed over. */
  boolean isAnyWaiting() {
    return !withWaiting.isEmpty();
  }

  /**
   * Hands over those whose predecessors have been published meanwhile.
   *
   * @param expired settles a record that has expired while it waited
   * @return lines whose first message was rejected: its key is blocked from now on, and what waits
   *     there must be parked behind it
   */
  List<Line> handOn(Publisher publisher, Predicate<InFlight.Slot> expired) {
    if (withWaiting.isEmpty()) {
      return List.of();
    }
    List<Line> blocked = new ArrayList<>();
    boolean anyPublished = false;
    for (Iterator<Line> each = withWaiting.iterator(); each.hasNext(); ) {
      Line line = each.next();
      while (isPublished(line.first) && !line.waiting.isEmpty()) {
        anyPublished |= handOnNext(publisher, line, expired);
      }
      if (line.first.outcome() instanceof Outcome.Rejected) {
        blocked.add(line);
        each.remove();
      } else if (line.waiting.isEmpty()) {
        each.remove();
      }
    }
    if (anyPublished) {
      publisher.flush();
    }
    return blocked;
  }

  private boolean handOnNext(Publisher publisher, Line line, Predicate<InFlight.Slot> expired) {
    InFlight.Slot next = line.waiting.remove();
    boolean goes = next.outcome() == null && !expired.test(next);
    if (blocks.test(next.record)) {
      line.first = next;
      line.isStored = false;
    }
    publish(publisher, next);
    return goes;
  }

  /** The lane's order has gone over the record: it was published, or stored as a dead letter. */
  void settledFor(InFlight.Slot slot) {
    Line line = lines.isEmpty() ? null : lines.get(slot.record.key());
    if (line != null && line.first == slot) {
      line.isStored = true;
      if (line.waiting.isEmpty()) {
        lines.remove(slot.record.key());
      }
    }
  }

  /** What was in flight is forgotten. */
  void clear() {
    lines.clear();
    withWaiting.clear();
  }

  /** Of a line that was blocked: nothing waits there any more, and what comes is held elsewhere. */
  void forget(@Nullable String key) {
    if (key != null) {
      lines.remove(key);
    }
  }
}
