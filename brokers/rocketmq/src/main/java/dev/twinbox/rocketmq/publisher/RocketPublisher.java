package dev.twinbox.rocketmq.publisher;

import dev.twinbox.broker.KeyOrdering;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.OutcomeQueue;
import dev.twinbox.broker.Publisher;
import dev.twinbox.rocketmq.RocketTopic;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.jspecify.annotations.Nullable;

/**
 * Publishes one lane's records, each to a queue by its key's hash, at most one of a key at a time.
 *
 * <p>A writer thread looks topics up and hands messages to the client, because both can wait for
 * the network; it holds no lock meanwhile. Answers come on the client's threads and only change
 * state under the lock. The clock of the broker finds what has waited too long.
 */
final class RocketPublisher implements Publisher {
  private static final Outcome AFTER_STOP =
      new Outcome.Unknown("not sent: an earlier message was not published");
  private static final Outcome BEHIND_FAILURE =
      new Outcome.Unknown("not sent: an earlier message of its key failed");
  private static final Outcome CLOSED =
      new Outcome.Unknown("the publisher was closed before the broker confirmed");
  private static final RocketTopic NOWHERE = new RocketTopic("-", null);

  private final RocketBroker broker;
  private final RocketClient client;
  private final OutcomeQueue outcomes = new OutcomeQueue();
  private final Condition changed = outcomes.newCondition();
  private final KeyOrdering<RocketSend> keyOrdering = new KeyOrdering<>();

  /** May be sent, in this order. */
  private final ArrayDeque<RocketSend> ready = new ArrayDeque<>();

  /** Handed to the client, oldest first. */
  private final Set<RocketSend> unconfirmed = new LinkedHashSet<>();

  private int nextQueue;
  private boolean anyMayExpire;
  private boolean stopped;
  private boolean closed;
  private Outcome afterStop = AFTER_STOP;

  /** The topic that the name server is being asked for, or empty; and since when. */
  private String lookingFor = "";

  private long lookingSince;

  RocketPublisher(RocketBroker broker, RocketClient client, int lane) {
    this.broker = broker;
    this.client = client;
    this.nextQueue = lane;
  }

  @Override
  public void publish(OutboxRecord record, OutcomeListener listener) {
    RocketTopic topic = RocketTopic.at(broker.name(), record.destination());
    RocketSend send = new RocketSend(topic == null ? NOWHERE : topic, record, listener);
    outcomes.lock();
    try {
      anyMayExpire |= send.mayExpire();
      if (stopped) {
        outcomes.settle(send, closed ? CLOSED : afterStop);
      } else if (topic == null) {
        outcomes.settle(
            send,
            new Outcome.Rejected(
                Reason.UNKNOWN_DESTINATION,
                "%s is not %s:topic or %s:topic/tag"
                    .formatted(record.destination(), broker.name(), broker.name())));
      } else {
        switch (keyOrdering.enter(send)) {
          case FIRST -> makeReady(send);
          case WAITS -> {}
          case BEHIND_FAILURE -> outcomes.settle(send, BEHIND_FAILURE);
        }
      }
    } finally {
      outcomes.unlock();
    }
  }

  /** Nothing to do: each message is sent at once. */
  @Override
  public void flush() {}

  @Override
  public String waitsFor() {
    outcomes.lock();
    try {
      return lookingFor.isEmpty()
          ? "the broker does not answer"
          : "the name server does not answer for topic " + lookingFor;
    } finally {
      outcomes.unlock();
    }
  }

  @Override
  public void close() {
    outcomes.lock();
    boolean first = !closed;
    if (first) {
      closed = true;
      stop();
      doubt(CLOSED);
    }
    outcomes.unlockWhenTold();
    if (first) {
      broker.closed(this, client);
    }
  }

  // The writer thread.

  /** Sends what may be sent, until the publisher stops. */
  void write() {
    try {
      RocketSend next = awaitWork();
      while (next != null) {
        sendFirst(next);
        next = awaitWork();
      }
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
  }

  /** Something that cannot go wrong did: nobody is to wait for this publisher. */
  void fail(Throwable why) {
    lose(new Outcome.Unknown("the publisher failed: " + why.getClass().getName()));
  }

  /** There is no thread to write on: what comes is told so. */
  void hasNoWriter() {
    outcomes.lock();
    try {
      afterStop = new Outcome.Unavailable(Reason.OTHER, "no thread is left to write to RocketMQ");
      stop();
    } finally {
      outcomes.unlock();
    }
  }

  private @Nullable RocketSend awaitWork() {
    outcomes.lock();
    try {
      while (!stopped && ready.isEmpty()) {
        changed.awaitUninterruptibly();
      }
      return stopped ? null : ready.element();
    } finally {
      outcomes.unlock();
    }
  }

  private void sendFirst(RocketSend send) {
    byte[] payload = send.record().payload();
    int bytes = payload == null ? 0 : payload.length;
    Message message;
    MessageQueue queue;
    try {
      message = RocketMessageWriter.message(send.record(), send.topic);
    } catch (RuntimeException e) {
      // A header that RocketMQ has no place for, or a row that was not written by an Outbox.
      takeAndFinish(
          send, new Outcome.Rejected(Reason.MALFORMED, "cannot be encoded: " + e.getMessage()));
      return;
    }
    try {
      queue = queue(send);
    } catch (Exception e) {
      takeAndFinish(send, unlessUnknown(RocketErrors.outcome(e, bytes)));
      return;
    }
    if (!take(send)) {
      return;
    }
    try {
      client.send(message, queue, callback(send, bytes));
    } catch (Exception e) {
      answered(send, RocketErrors.outcome(e, bytes));
    }
  }

  /** Nothing was sent when a topic was looked for, and that is known. */
  private static Outcome unlessUnknown(Outcome outcome) {
    return outcome instanceof Outcome.Unknown unknown
        ? new Outcome.Unavailable(Reason.UNREACHABLE, unknown.detail())
        : outcome;
  }

  private MessageQueue queue(RocketSend send) throws Exception {
    looksFor(send.topic.topic());
    List<MessageQueue> queues;
    try {
      queues = client.queues(send.topic.topic());
    } finally {
      looksFor("");
    }
    String key = send.record().key();
    // By RocketMQ's own rule for a key, that of its SelectMessageQueueByHash.
    int number =
        key == null ? Math.floorMod(nextQueue++, queues.size()) : index(key, queues.size());
    return queues.get(number);
  }

  private void looksFor(String topic) {
    outcomes.lock();
    lookingFor = topic;
    lookingSince = System.nanoTime();
    outcomes.unlock();
  }

  static int index(String key, int queues) {
    int index = key.hashCode() % queues;
    return Math.abs(index);
  }

  private SendCallback callback(RocketSend send, int bytes) {
    return new SendCallback() {
      @Override
      public void onSuccess(SendResult result) {
        answered(send, RocketErrors.outcome(result.getSendStatus()));
      }

      @Override
      public void onException(Throwable failure) {
        answered(send, RocketErrors.outcome(failure, bytes));
      }
    };
  }

  /**
   * Takes the record out of the queue, as sent.
   *
   * @return false when it is not to be sent any more
   */
  private boolean take(RocketSend send) {
    outcomes.lock();
    try {
      long now = System.nanoTime();
      if (!takeFromQueue(send)) {
        return false;
      }
      if (send.hasExpired(now)) {
        finish(send, send.expired());
        return false;
      }
      send.since = now;
      unconfirmed.add(send);
      return true;
    } finally {
      outcomes.unlock();
    }
  }

  private void takeAndFinish(RocketSend send, Outcome outcome) {
    outcomes.lock();
    try {
      if (takeFromQueue(send)) {
        finish(send, outcome);
      }
    } finally {
      outcomes.unlock();
    }
  }

  private boolean takeFromQueue(RocketSend send) {
    return !stopped && ready.peek() == send && ready.poll() != null;
  }

  // The client's threads.

  private void answered(RocketSend send, Outcome outcome) {
    if (outcome instanceof Outcome.Unavailable || outcome instanceof Outcome.Unknown) {
      client.forget(send.topic.topic());
    }
    outcomes.lock();
    try {
      if (unconfirmed.remove(send)) {
        finish(send, outcome);
      }
    } finally {
      outcomes.unlock();
    }
  }

  // The broker's clock.

  /** Gives up what has waited too long. */
  void tick(long now) {
    outcomes.lock();
    try {
      if (anyMayExpire) {
        expire(now);
      }
      // Also when stopped: what was sent before still wants an outcome.
      RocketSend oldest = unconfirmed.isEmpty() ? null : unconfirmed.iterator().next();
      if (oldest != null && now - oldest.since > broker.confirmTimeout().toNanos()) {
        unconfirmed.remove(oldest);
        giveUp(oldest, "not confirmed within " + broker.confirmTimeout());
        return;
      }
      RocketSend waiting = ready.peek();
      if (waiting != null
          && !lookingFor.isEmpty()
          && now - lookingSince > broker.lookTimeout().toNanos()) {
        ready.remove();
        giveUp(
            waiting,
            "the name server has not answered for topic %s within %s"
                .formatted(waiting.topic.topic(), broker.lookTimeout()));
      }
    } finally {
      outcomes.unlock();
    }
  }

  /** While the broker takes nothing, what waits for it need not wait beyond its time. */
  private void expire(long now) {
    List<RocketSend> late = ready.stream().filter(send -> send.hasExpired(now)).toList();
    if (!late.isEmpty()) {
      ready.removeAll(late);
      late.forEach(send -> finish(send, send.expired()));
    }
  }

  private void giveUp(RocketSend oldest, String why) {
    outcomes.settle(oldest, new Outcome.Unavailable(Reason.UNREACHABLE, why));
    lose(new Outcome.Unknown("the broker does not answer"));
    client.retire();
  }

  // State, under the lock.

  private void makeReady(RocketSend send) {
    ready.add(send);
    changed.signalAll();
  }

  private void finish(RocketSend send, Outcome outcome) {
    if (!outcomes.settle(send, outcome)) {
      return;
    }
    if (outcome instanceof Outcome.Published || outcome instanceof Outcome.Rejected) {
      RocketSend next = keyOrdering.leave(send);
      if (next != null && !stopped) {
        makeReady(next);
      }
    } else if (outcome instanceof Outcome.Failed) {
      keyOrdering.fail(send, follower -> outcomes.settle(follower, BEHIND_FAILURE));
    } else {
      stop();
    }
  }

  private void lose(Outcome outcome) {
    outcomes.lock();
    try {
      stop();
      doubt(outcome);
    } finally {
      outcomes.unlock();
    }
  }

  /** Sends nothing any more. What was sent may still be confirmed. */
  private void stop() {
    stopped = true;
    Outcome outcome = closed ? CLOSED : AFTER_STOP;
    ready.forEach(send -> outcomes.settle(send, outcome));
    ready.clear();
    keyOrdering.clear(send -> outcomes.settle(send, outcome));
    changed.signalAll();
  }

  /** Nothing of what was sent is waited for any more. */
  private void doubt(Outcome outcome) {
    unconfirmed.forEach(send -> outcomes.settle(send, outcome));
    unconfirmed.clear();
  }
}
