package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.OutcomeQueue;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.Supervision;
import dev.twinbox.kafka.KafkaTopic;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Publishes one lane's records with a Kafka producer of its own.
 *
 * <p>The producer is set up to never block: {@code send} fails at once when a topic's metadata is
 * missing or the buffer is full, the record then stays in its queue and is tried again when an
 * acknowledgement makes room or the broker's clock ticks. Nothing here waits for a server.
 *
 * <p>Locks: the client is called under the publisher's lock, and calls back on its own thread
 * without any lock of its own. Only closing the client joins that thread, so this is done on a
 * thread that holds nothing, or on that thread itself.
 */
final class KafkaPublisher implements Publisher {
  private static final Outcome AFTER_STOP =
      new Outcome.Unknown("not sent: an earlier message was not published");
  private static final Outcome EXPIRED_ON_ITS_WAY =
      new Outcome.Unknown("expired before the broker confirmed");
  private static final Outcome CLOSED =
      new Outcome.Unknown("the publisher was closed before the broker confirmed");

  /** Partitions can be added, or the topic be made anew with fewer. */
  private static final long LOOK_AGAIN_NANOS = Duration.ofSeconds(1).toNanos();

  private static final int MOST_IDLE_QUEUES = 1_000;

  private final String broker;
  private final KafkaLimits limits;
  private final PublicationTime.Choice time;
  private final Runnable onWaiting;
  private final Consumer<KafkaPublisher> onClose;
  private final OutcomeQueue outcomes = new OutcomeQueue();
  private final Map<String, TopicQueue> queues = new HashMap<>();
  private final KafkaKeyOrdering keyOrdering = new KafkaKeyOrdering();
  private final TopicQueue nowhere = new TopicQueue("", KafkaRecordWriter.destination(""));

  /** Queues that may have something to send. */
  private final ArrayDeque<TopicQueue> ready = new ArrayDeque<>();

  private final long openingSince = System.nanoTime();

  private @Nullable Producer<byte[], byte[]> producer;
  private @Nullable Thread ioThread;
  private int mostQueues = MOST_IDLE_QUEUES;
  private boolean bufferFull;
  private boolean anyMayExpire;
  private boolean stopped;
  private boolean closed;
  private Outcome afterStop = AFTER_STOP;

  /** What is being given to the client now, and what the client threw back within the call. */
  private @Nullable KafkaSend sending;

  private @Nullable Exception thrownBack;

  /**
   * @param time what records are stamped with
   * @param onWaiting called when something may wait, so that {@link #tick} is needed
   * @param onClose called when this is closed
   */
  KafkaPublisher(
      String brokerName,
      KafkaLimits limits,
      PublicationTime.Choice time,
      Runnable onWaiting,
      Consumer<KafkaPublisher> onClose) {
    this.broker = brokerName;
    this.limits = limits;
    this.time = time;
    this.onWaiting = onWaiting;
    this.onClose = onClose;
  }

  /** The client is there. Until then records queue. */
  void opened(Producer<byte[], byte[]> opened) {
    outcomes.lock();
    try {
      producer = opened;
      if (stopped) {
        abort();
        return;
      }
      queues.values().forEach(this::list);
      sendWhatMayGo();
    } finally {
      outcomes.unlock();
    }
  }

  /** There will be no client. */
  void failedToOpen(Outcome.Unavailable why) {
    outcomes.lock();
    try {
      if (!stopped) {
        afterStop = why;
        stop();
        abort();
      }
    } finally {
      outcomes.unlock();
    }
  }

  /** Something that cannot go wrong did: nobody is to wait for this publisher. */
  void fail(Throwable why) {
    outcomes.lock();
    try {
      Outcome outcome = new Outcome.Unknown("the publisher failed: " + KafkaErrors.detail(why));
      queues.values().forEach(queue -> queue.allSent().forEach(send -> settle(send, outcome)));
      afterStop = outcome;
      stop();
      abort();
    } finally {
      outcomes.unlock();
    }
  }

  @Override
  public void publish(OutboxRecord record, OutcomeListener listener) {
    outcomes.lock();
    try {
      TopicQueue queue = queue(record.destination());
      KafkaSend send = new KafkaSend(this, queue == null ? nowhere : queue, record, listener);
      anyMayExpire |= send.mayExpire();
      send.queue.outstanding++;
      if (stopped) {
        settle(send, closed ? CLOSED : afterStop);
      } else if (queue == null) {
        settle(
            send,
            new Outcome.Rejected(
                Reason.UNKNOWN_DESTINATION,
                "%s is not %s:topic".formatted(record.destination(), broker)));
      } else if (keyOrdering.enter(send)) {
        enqueue(send);
        sendWhatMayGo();
      }
    } finally {
      outcomes.unlock();
    }
    onWaiting.run();
  }

  /** Nothing to do: the client's {@code linger.ms} bounds how long it keeps a record back. */
  @Override
  public void flush() {}

  @Override
  public String waitsFor() {
    Producer<byte[], byte[]> client;
    outcomes.lock();
    try {
      client = producer;
    } finally {
      outcomes.unlock();
    }
    return KafkaDiagnosis.waitsFor(client);
  }

  @Override
  public void close() {
    outcomes.lock();
    if (!closed) {
      closed = true;
      stop();
      queues.values().forEach(queue -> queue.allSent().forEach(send -> settle(send, CLOSED)));
      queues.clear();
      abort();
    }
    outcomes.unlockWhenTold();
    onClose.accept(this);
  }

  /** Called by the client, on its own thread: a partition has taken the record. */
  void confirmed(KafkaSend send, int partition) {
    outcomes.lock();
    try {
      send.queue.proven(partition);
      completed(send, null);
    } finally {
      outcomes.unlock();
    }
  }

  /** Called by the client: on its own thread, or within {@code send} on ours. */
  void completed(KafkaSend send, @Nullable Exception failure) {
    outcomes.lock();
    try {
      if (send == sending) {
        thrownBack = failure;
        return;
      }
      ioThread = Thread.currentThread();
      if (!closed) {
        if (failure != null && KafkaErrors.refusesTime(failure)) {
          time.refused();
        }
        finish(send, failure == null ? Outcome.PUBLISHED : KafkaErrors.outcome(failure));
        send.queue.completed(send);
        list(send.queue);
        sendWhatMayGo();
      }
    } finally {
      outcomes.unlock();
    }
  }

  /**
   * Looks after whatever waits. Called every few milliseconds while anything does, by one thread.
   *
   * @return whether anything waits
   */
  boolean tick(long now) {
    outcomes.lock();
    try {
      lookAfter(now);
      boolean opens = producer == null && !stopped;
      return opens
          || queues.values().stream()
              .anyMatch(queue -> !queue.queued.isEmpty() || queue.oldestSent() != null);
    } finally {
      outcomes.unlock();
    }
  }

  private void lookAfter(long now) {
    if (anyMayExpire) {
      List.copyOf(queues.values()).forEach(queue -> expireQueued(queue, now));
    }
    if (producer == null) {
      if (!stopped && now - openingSince > limits.confirmTimeout().toNanos()) {
        failedToOpen(
            new Outcome.Unavailable(
                Reason.UNREACHABLE,
                "no Kafka client within " + limits.confirmTimeout() + "; is name service slow?"));
      }
      return;
    }
    // Also when stopped: what was sent before still wants an outcome.
    for (TopicQueue queue : queues.values()) {
      KafkaSend oldest = queue.oldestSent();
      if (oldest != null && now - oldest.sentAt > limits.confirmTimeout().toNanos()) {
        giveUp(oldest);
        return;
      }
      if (anyMayExpire && !stopped && queue.anySent(send -> send.hasExpired(now))) {
        takeBack(queue, now);
        return;
      }
      list(queue);
    }
    sendWhatMayGo();
  }

  private void enqueue(KafkaSend send) {
    send.queue.queued.add(send);
    list(send.queue);
  }

  private void list(TopicQueue queue) {
    if (!queue.listed && !queue.queued.isEmpty()) {
      queue.listed = true;
      ready.add(queue);
    }
  }

  /**
   * A loop over a list, not recursion: a rejection can make other queues ready, again and again.
   */
  private void sendWhatMayGo() {
    Producer<byte[], byte[]> client = producer;
    if (client == null) {
      return;
    }
    if (bufferFull) {
      bufferFull = false;
      queues.values().forEach(this::list);
    }
    for (TopicQueue queue = ready.poll(); queue != null; queue = ready.poll()) {
      queue.listed = false;
      while (!stopped && !bufferFull && mayGo(client, queue)) {
        sendFirst(client, queue);
      }
    }
  }

  private boolean mayGo(Producer<byte[], byte[]> client, TopicQueue queue) {
    KafkaSend first = queue.queued.peek();
    if (first == null) {
      return false;
    }
    boolean room =
        queue.bytesInFlight == 0 || queue.bytesInFlight + first.bytes <= limits.bytesPerTopic();
    boolean fresh = queue.known && System.nanoTime() - queue.lookedAt < LOOK_AGAIN_NANOS;
    return room
        && (fresh || look(client, queue))
        && !queue.isChanging()
        && !wouldOvertake(queue, first);
  }

  /** After a change of partitions, a key's records may be queued behind each other. */
  private static boolean wouldOvertake(TopicQueue queue, KafkaSend first) {
    String key = first.record().key();
    return key != null
        && !queue.keepsOrderOf(key)
        && queue.anySent(sent -> key.equals(sent.record().key()));
  }

  /** Asks the client for the topic; it answers at once and, where it has none, asks the broker. */
  private boolean look(Producer<byte[], byte[]> client, TopicQueue queue) {
    long now = System.nanoTime();
    if (queue.lookingSince == 0) {
      queue.lookingSince = now;
    }
    try {
      queue.partitions(client.partitionsFor(queue.topic).size());
      queue.known = true;
      queue.lookedAt = now;
      queue.lookingSince = 0;
      queue.lookFailure = null;
      return true;
    } catch (InterruptException e) {
      return false;
    } catch (TimeoutException e) {
      // The cause is what the broker last said of the topic; it is not said at each look.
      if (e.getCause() != null) {
        queue.lookFailure = e.getCause();
      }
      Throwable said = queue.lookFailure;
      Reason reason = said == null ? Reason.UNREACHABLE : KafkaErrors.reason(said);
      if (reason == Reason.NOT_AUTHORISED
          || reason == Reason.NOT_AUTHENTICATED
          || now - queue.lookingSince > limits.metadataTimeout().toNanos()) {
        unavailable(queue, reason, said);
      }
    } catch (KafkaException e) {
      refused(queue, e);
    }
    return false;
  }

  private void unavailable(TopicQueue queue, Reason reason, @Nullable Throwable said) {
    String detail =
        said == null
            ? "no broker has answered for topic %s within %s"
                .formatted(queue.topic, limits.metadataTimeout())
            : "topic %s: %s".formatted(queue.topic, KafkaErrors.detail(said));
    // Nothing of them was sent, and that is known.
    settleQueued(queue, new Outcome.Unavailable(reason, detail));
    stop();
  }

  private void refused(TopicQueue queue, KafkaException failure) {
    Outcome outcome = KafkaErrors.outcome(failure);
    if (outcome instanceof Outcome.Rejected) {
      for (KafkaSend send = queue.queued.poll(); send != null; send = queue.queued.poll()) {
        finish(send, outcome);
      }
    } else {
      unavailable(queue, KafkaErrors.reason(failure), failure);
    }
  }

  private void sendFirst(Producer<byte[], byte[]> client, TopicQueue queue) {
    KafkaSend send = queue.queued.element();
    if (send.hasExpired(System.nanoTime())) {
      queue.queued.remove();
      finish(send, send.expired());
      return;
    }
    ProducerRecord<byte[], byte[]> encoded;
    try {
      encoded = KafkaRecordWriter.encode(send.record(), queue, time.millis());
    } catch (RuntimeException e) {
      // A row that was not written by an Outbox: never sendable, and no reason to stop the others.
      queue.queued.remove();
      finish(send, new Outcome.Rejected(Reason.MALFORMED, "cannot be encoded: " + e));
      return;
    }
    sending = send;
    thrownBack = null;
    try {
      var unused = client.send(encoded, send);
    } catch (KafkaException | IllegalStateException e) {
      thrownBack = e;
    } finally {
      sending = null;
    }
    Exception failure = thrownBack;
    if (failure instanceof BufferExhaustedException || failure instanceof InterruptException) {
      bufferFull = true; // not taken: goes again when there is room
    } else if (failure instanceof TimeoutException) {
      queue.known = false; // not taken: the client has forgotten a topic that was idle
    } else {
      queue.queued.remove();
      if (failure == null) {
        send.sentAt = System.nanoTime();
        queue.sent(send);
      } else {
        finish(send, KafkaErrors.outcome(failure));
        if (stopped) {
          abort();
        }
      }
    }
  }

  private void finish(KafkaSend send, Outcome outcome) {
    if (!settle(send, outcome)) {
      return;
    }
    if (outcome instanceof Outcome.Published || outcome instanceof Outcome.Rejected) {
      if (!stopped) {
        keyOrdering.leave(send, this::enqueue);
      }
      return;
    }
    stop();
    if (Thread.currentThread() == ioThread) {
      // Here and now: the client would otherwise go on with the batches that follow the failed one.
      // It completes what it still has, so that each record hears what happened to itself.
      abort();
    }
  }

  private void expireQueued(TopicQueue queue, long now) {
    List<KafkaSend> late = queue.queued.stream().filter(send -> send.hasExpired(now)).toList();
    if (!late.isEmpty()) {
      queue.queued.removeAll(late);
      late.forEach(send -> finish(send, send.expired()));
    }
  }

  /** The client has it and would send it whenever it can: it has to forget all that it has. */
  private void takeBack(TopicQueue queue, long now) {
    queue
        .allSent()
        .forEach(
            send -> {
              if (send.hasExpired(now)) {
                settle(send, EXPIRED_ON_ITS_WAY);
              }
            });
    stop();
    abort();
  }

  private void giveUp(KafkaSend oldest) {
    settle(oldest, KafkaDiagnosis.unconfirmed(producer, oldest.queue.topic, limits));
    stop();
    abort();
  }

  /** Sends nothing any more. What the client has may still be confirmed. */
  private void stop() {
    stopped = true;
    queues.values().forEach(queue -> settleQueued(queue, closed ? CLOSED : afterStop));
    keyOrdering.clear(send -> settle(send, closed ? CLOSED : afterStop));
    ready.clear();
  }

  private void settleQueued(TopicQueue queue, Outcome outcome) {
    queue.queued.forEach(send -> settle(send, outcome));
    queue.queued.clear();
  }

  private boolean settle(KafkaSend send, Outcome outcome) {
    boolean first = outcomes.settle(send, outcome);
    if (first) {
      send.queue.outstanding--;
    }
    return first;
  }

  /** Makes the client drop what it has, without waiting for the broker. */
  private void abort() {
    Producer<byte[], byte[]> client = producer;
    producer = null;
    if (client == null) {
      return;
    }
    if (Thread.currentThread() == ioThread) {
      client.close(Duration.ZERO);
    } else {
      Supervision.inBackground("twinbox-kafka-close", () -> client.close(Duration.ZERO));
    }
  }

  /** The queue of a destination, or null if it is no topic of this broker. */
  private @Nullable TopicQueue queue(String destination) {
    TopicQueue queue = queues.get(destination);
    if (queue != null) {
      return queue;
    }
    KafkaTopic topic = KafkaTopic.at(broker, destination);
    if (topic == null) {
      return null;
    }
    forgetIdleQueues();
    queue = new TopicQueue(topic.name(), KafkaRecordWriter.destination(destination));
    queues.put(destination, queue);
    return queue;
  }

  /** There may be no end of topics. */
  private void forgetIdleQueues() {
    if (queues.size() >= mostQueues) {
      queues.values().removeIf(queue -> queue.outstanding == 0);
      mostQueues = Math.max(MOST_IDLE_QUEUES, 2 * queues.size());
    }
  }
}
