package dev.twinbox.kafka.publisher;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the order of a key that goes to several topics. The client keeps it within a topic, so
 * records of a key follow each other freely there; one for another topic is held until all before
 * it are settled. A constant cost for each record. Guarded by the publisher's lock.
 *
 * <p>The client keeps it from the partition's first confirm on. A broker accepts any sequence
 * number from a producer that it does not know yet, so a second batch can be taken while the first
 * is turned away, as by a leader that has just been elected; the first one then comes later, or
 * never. Until a partition has confirmed something, the key's records go one by one.
 */
final class KafkaKeyOrdering {
  private final Map<String, Turn> turns = new HashMap<>();

  /** Whether the record may join its queue now; otherwise it is held until its turn. */
  boolean enter(KafkaSend send) {
    String key = send.record().key();
    if (key == null) {
      return true;
    }
    Turn turn = turns.get(key);
    if (turn == null) {
      turns.put(key, new Turn(send.queue));
      return true;
    }
    if (turn.held == null && turn.queue == send.queue && send.queue.keepsOrderOf(key)) {
      turn.outstanding++;
      return true;
    }
    if (turn.held == null) {
      turn.held = new ArrayDeque<>();
    }
    turn.held.add(send);
    return false;
  }

  /** Ends the record's turn and hands on those whose turn has come, in order. */
  void leave(KafkaSend send, Consumer<KafkaSend> next) {
    String key = send.record().key();
    Turn turn = key == null ? null : turns.get(key);
    if (key == null || turn == null || --turn.outstanding > 0) {
      return;
    }
    ArrayDeque<KafkaSend> held = turn.held;
    if (held == null) {
      turns.remove(key);
      return;
    }
    turn.queue = held.element().queue;
    for (KafkaSend first = held.peek(); first != null && first.queue == turn.queue; ) {
      turn.outstanding++;
      next.accept(held.remove());
      first = turn.queue.keepsOrderOf(key) ? held.peek() : null;
    }
    if (held.isEmpty()) {
      turn.held = null;
    }
  }

  /** Gives up all that are held. */
  void clear(Consumer<KafkaSend> each) {
    for (Turn turn : turns.values()) {
      if (turn.held != null) {
        turn.held.forEach(each);
      }
    }
    turns.clear();
  }

  private static final class Turn {
    TopicQueue queue;
    int outstanding = 1;
    @Nullable ArrayDeque<KafkaSend> held;

    Turn(TopicQueue queue) {
      this.queue = queue;
    }
  }
}
