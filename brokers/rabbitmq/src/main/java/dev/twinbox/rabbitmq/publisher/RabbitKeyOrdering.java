package dev.twinbox.rabbitmq.publisher;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets one record of each key be under way: RabbitMQ can refuse a message and accept the next, and
 * such an inversion cannot be mended. A constant cost for each record. Guarded by the publisher's
 * lock.
 */
final class RabbitKeyOrdering {
  /** Whether a record may go, waits for its predecessor, or comes behind a failure. */
  enum Place {
    FIRST,
    WAITS,
    BEHIND_FAILURE
  }

  private final Map<String, KeyQueue> queues = new HashMap<>();

  Place enter(RabbitSend send) {
    String key = send.record().key();
    if (key == null) {
      return Place.FIRST;
    }
    KeyQueue queue = queues.get(key);
    if (queue == null) {
      queues.put(key, new KeyQueue());
      return Place.FIRST;
    }
    if (queue.failed) {
      return Place.BEHIND_FAILURE;
    }
    queue.waiting().add(send);
    return Place.WAITS;
  }

  /** The record is dealt with: its follower, if there is one, may go now. */
  @Nullable RabbitSend leave(RabbitSend send) {
    String key = send.record().key();
    KeyQueue queue = key == null ? null : queues.get(key);
    if (key == null || queue == null) {
      return null;
    }
    RabbitSend next = queue.waiting == null ? null : queue.waiting.poll();
    if (next == null) {
      queues.remove(key);
    }
    return next;
  }

  /** The record has failed: nothing of its key goes any more. Hands on those that waited. */
  void fail(RabbitSend send, Consumer<RabbitSend> each) {
    String key = send.record().key();
    KeyQueue queue = key == null ? null : queues.get(key);
    if (queue != null) {
      queue.failed = true;
      queue.giveUp(each);
    }
  }

  /** Hands on all that wait, and forgets every key. */
  void clear(Consumer<RabbitSend> each) {
    queues.values().forEach(queue -> queue.giveUp(each));
    queues.clear();
  }

  private static final class KeyQueue {
    boolean failed;
    @Nullable ArrayDeque<RabbitSend> waiting;

    ArrayDeque<RabbitSend> waiting() {
      ArrayDeque<RabbitSend> present = waiting;
      if (present == null) {
        present = new ArrayDeque<>(4);
        waiting = present;
      }
      return present;
    }

    void giveUp(Consumer<RabbitSend> each) {
      if (waiting != null) {
        waiting.forEach(each);
        waiting = null;
      }
    }
  }
}
