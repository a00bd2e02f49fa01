package dev.twinbox.broker;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets one record of each key be under way, for brokers that can refuse a message and accept the
 * next: such an inversion cannot be mended. A constant cost for each record. Guarded by the
 * publisher's lock.
 *
 * @param <S> a record on its way
 */
public final class KeyOrdering<S extends PendingRecord> {
  /** Whether a record may go, waits for its predecessor, or comes behind a failure. */
  public enum Place {
    /** May go. */
    FIRST,
    /** Goes when its predecessor is dealt with: {@link #leave} hands it on. */
    WAITS,
    /** Must not go: a record of its key has failed. */
    BEHIND_FAILURE
  }

  private final Map<String, KeyQueue<S>> queues = new HashMap<>();

  /** Takes the next record of its key; one without a key is always the first. */
  public Place enter(S send) {
    String key = send.record().key();
    if (key == null) {
      return Place.FIRST;
    }
    KeyQueue<S> queue = queues.get(key);
    if (queue == null) {
      queues.put(key, new KeyQueue<>());
      return Place.FIRST;
    }
    if (queue.failed) {
      return Place.BEHIND_FAILURE;
    }
    queue.waiting().add(send);
    return Place.WAITS;
  }

  /** The record is dealt with: its follower, if there is one, may go now. */
  public @Nullable S leave(S send) {
    String key = send.record().key();
    KeyQueue<S> queue = key == null ? null : queues.get(key);
    if (key == null || queue == null) {
      return null;
    }
    S next = queue.waiting == null ? null : queue.waiting.poll();
    if (next == null) {
      queues.remove(key);
    }
    return next;
  }

  /** The record has failed: nothing of its key goes any more. Hands on those that waited. */
  public void fail(S send, Consumer<S> each) {
    String key = send.record().key();
    KeyQueue<S> queue = key == null ? null : queues.get(key);
    if (queue != null) {
      queue.failed = true;
      queue.giveUp(each);
    }
  }

  /** Hands on all that wait, and forgets every key. */
  public void clear(Consumer<S> each) {
    queues.values().forEach(queue -> queue.giveUp(each));
    queues.clear();
  }

  private static final class KeyQueue<S> {
    boolean failed;
    @Nullable ArrayDeque<S> waiting;

    ArrayDeque<S> waiting() {
      ArrayDeque<S> present = waiting;
      if (present == null) {
        present = new ArrayDeque<>(4);
        waiting = present;
      }
      return present;
    }

    void giveUp(Consumer<S> each) {
      if (waiting != null) {
        waiting.forEach(each);
        waiting = null;
      }
    }
  }
}
