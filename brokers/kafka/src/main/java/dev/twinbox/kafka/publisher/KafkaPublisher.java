package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.Settlements;
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
 * missing or the buffer is full, the record then stays in its line and is tried again when an
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

  private static final int MOST_IDLE_LINES = 1_000;

  private final String broker;
  private final KafkaLimits limits;
  private final PublicationTime.Choice time;
  private final Runnable onWaiting;
  private final Consumer<KafkaPublisher> onClose;
  private final Settlements settlements = new Settlements();
  private final Map<String, TopicLine> lines = new HashMap<>();
  private final KeyTurns turns = new KeyTurns();
  private final TopicLine nowhere = new TopicLine("", KafkaWire.destination(""));

  /** Lines that may have something to send. */
  private final ArrayDeque<TopicLine> ready = new ArrayDeque<>();

  private final long openingSince = System.nanoTime();

  private @Nullable Producer<byte[], byte[]> producer;
  private @Nullable Thread ioThread;
  private int mostLines = MOST_IDLE_LINES;
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
    settlements.lock();
    try {
      producer = opened;
      if (stopped) {
        abort();
        return;
      }
      lines.values().forEach(this::list);
      sendWhatMayGo();
    } finally {
      settlements.unlock();
    }
  }

  /** There will be no client. */
  void failedToOpen(Outcome.Unavailable why) {
    settlements.lock();
    try {
      if (!stopped) {
        afterStop = why;
        stop();
        abort();
      }
    } finally {
      settlements.unlock();
    }
  }

  /** Something that cannot go wrong did: nobody is to wait for this publisher. */
  void fail(Throwable why) {
    settlements.lock();
    try {
      Outcome outcome = new Outcome.Unknown("the publisher failed: " + KafkaErrors.detail(why));
      lines.values().forEach(line -> line.allSent().forEach(send -> settle(send, outcome)));
      afterStop = outcome;
      stop();
      abort();
    } finally {
      settlements.unlock();
    }
  }

  @Override
  public void publish(OutboxRecord record, OutcomeListener listener) {
    settlements.lock();
    try {
      TopicLine line = line(record.destination());
      KafkaSend send = new KafkaSend(this, line == null ? nowhere : line, record, listener);
      anyMayExpire |= send.mayExpire();
      send.line.outstanding++;
      if (stopped) {
        settle(send, closed ? CLOSED : afterStop);
      } else if (line == null) {
        settle(
            send,
            new Outcome.Rejected(
                Reason.UNKNOWN_DESTINATION,
                "%s is not %s:topic".formatted(record.destination(), broker)));
      } else if (turns.enter(send)) {
        enqueue(send);
        sendWhatMayGo();
      }
    } finally {
      settlements.unlock();
    }
    onWaiting.run();
  }

  /** Nothing to do: the client's {@code linger.ms} bounds how long it keeps a record back. */
  @Override
  public void flush() {}

  @Override
  public String waitsFor() {
    Producer<byte[], byte[]> client;
    settlements.lock();
    try {
      client = producer;
    } finally {
      settlements.unlock();
    }
    return KafkaDiagnosis.waitsFor(client);
  }

  @Override
  public void close() {
    settlements.lock();
    if (!closed) {
      closed = true;
      stop();
      lines.values().forEach(line -> line.allSent().forEach(send -> settle(send, CLOSED)));
      lines.clear();
      abort();
    }
    settlements.unlockWhenTold();
    onClose.accept(this);
  }

  /** Called by the client, on its own thread: a partition has taken the record. */
  void confirmed(KafkaSend send, int partition) {
    settlements.lock();
    try {
      send.line.proven(partition);
      completed(send, null);
    } finally {
      settlements.unlock();
    }
  }

  /** Called by the client: on its own thread, or within {@code send} on ours. */
  void completed(KafkaSend send, @Nullable Exception failure) {
    settlements.lock();
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
        send.line.completed(send);
        list(send.line);
        sendWhatMayGo();
      }
    } finally {
      settlements.unlock();
    }
  }

  /**
   * Looks after whatever waits. Called every few milliseconds while anything does, by one thread.
   *
   * @return whether anything waits
   */
  boolean tick(long now) {
    settlements.lock();
    try {
      lookAfter(now);
      boolean opens = producer == null && !stopped;
      return opens
          || lines.values().stream()
              .anyMatch(line -> !line.queued.isEmpty() || line.oldestSent() != null);
    } finally {
      settlements.unlock();
    }
  }

  private void lookAfter(long now) {
    if (anyMayExpire) {
      List.copyOf(lines.values()).forEach(line -> expireQueued(line, now));
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
    for (TopicLine line : lines.values()) {
      KafkaSend oldest = line.oldestSent();
      if (oldest != null && now - oldest.sentAt > limits.confirmTimeout().toNanos()) {
        giveUp(oldest);
        return;
      }
      if (anyMayExpire && !stopped && line.anySent(send -> send.hasExpired(now))) {
        takeBack(line, now);
        return;
      }
      list(line);
    }
    sendWhatMayGo();
  }

  private void enqueue(KafkaSend send) {
    send.line.queued.add(send);
    list(send.line);
  }

  private void list(TopicLine line) {
    if (!line.listed && !line.queued.isEmpty()) {
      line.listed = true;
      ready.add(line);
    }
  }

  /** A loop over a list, not recursion: a rejection can make other lines ready, again and again. */
  private void sendWhatMayGo() {
    Producer<byte[], byte[]> client = producer;
    if (client == null) {
      return;
    }
    if (bufferFull) {
      bufferFull = false;
      lines.values().forEach(this::list);
    }
    for (TopicLine line = ready.poll(); line != null; line = ready.poll()) {
      line.listed = false;
      while (!stopped && !bufferFull && mayGo(client, line)) {
        sendFirst(client, line);
      }
    }
  }

  private boolean mayGo(Producer<byte[], byte[]> client, TopicLine line) {
    KafkaSend first = line.queued.peek();
    if (first == null) {
      return false;
    }
    boolean room =
        line.bytesInFlight == 0 || line.bytesInFlight + first.bytes <= limits.bytesPerTopic();
    boolean fresh = line.known && System.nanoTime() - line.lookedAt < LOOK_AGAIN_NANOS;
    return room
        && (fresh || look(client, line))
        && !line.isChanging()
        && !wouldOvertake(line, first);
  }

  /** After a change of partitions, a key's records may be queued behind each other. */
  private static boolean wouldOvertake(TopicLine line, KafkaSend first) {
    String key = first.record().key();
    return key != null
        && !line.keepsOrderOf(key)
        && line.anySent(sent -> key.equals(sent.record().key()));
  }

  /** Asks the client for the topic; it answers at once and, where it has none, asks the broker. */
  private boolean look(Producer<byte[], byte[]> client, TopicLine line) {
    long now = System.nanoTime();
    if (line.lookingSince == 0) {
      line.lookingSince = now;
    }
    try {
      line.partitions(client.partitionsFor(line.topic).size());
      line.known = true;
      line.lookedAt = now;
      line.lookingSince = 0;
      line.lookFailure = null;
      return true;
    } catch (InterruptException e) {
      return false;
    } catch (TimeoutException e) {
      // The cause is what the broker last said of the topic; it is not said at each look.
      if (e.getCause() != null) {
        line.lookFailure = e.getCause();
      }
      Throwable said = line.lookFailure;
      Reason reason = said == null ? Reason.UNREACHABLE : KafkaErrors.reason(said);
      if (reason == Reason.NOT_AUTHORISED
          || reason == Reason.NOT_AUTHENTICATED
          || now - line.lookingSince > limits.metadataTimeout().toNanos()) {
        unavailable(line, reason, said);
      }
    } catch (KafkaException e) {
      refused(line, e);
    }
    return false;
  }

  private void unavailable(TopicLine line, Reason reason, @Nullable Throwable said) {
    String detail =
        said == null
            ? "no broker has answered for topic %s within %s"
                .formatted(line.topic, limits.metadataTimeout())
            : "topic %s: %s".formatted(line.topic, KafkaErrors.detail(said));
    // Nothing of them was sent, and that is known.
    settleQueued(line, new Outcome.Unavailable(reason, detail));
    stop();
  }

  private void refused(TopicLine line, KafkaException failure) {
    Outcome outcome = KafkaErrors.outcome(failure);
    if (outcome instanceof Outcome.Rejected) {
      for (KafkaSend send = line.queued.poll(); send != null; send = line.queued.poll()) {
        finish(send, outcome);
      }
    } else {
      unavailable(line, KafkaErrors.reason(failure), failure);
    }
  }

  private void sendFirst(Producer<byte[], byte[]> client, TopicLine line) {
    KafkaSend send = line.queued.element();
    if (send.hasExpired(System.nanoTime())) {
      line.queued.remove();
      finish(send, send.expired());
      return;
    }
    ProducerRecord<byte[], byte[]> encoded;
    try {
      encoded = KafkaWire.encode(send.record(), line, time.millis());
    } catch (RuntimeException e) {
      // A row that was not written by an Outbox: never sendable, and no reason to stop the others.
      line.queued.remove();
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
      line.known = false; // not taken: the client has forgotten a topic that was idle
    } else {
      line.queued.remove();
      if (failure == null) {
        send.sentAt = System.nanoTime();
        line.sent(send);
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
        turns.leave(send, this::enqueue);
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

  private void expireQueued(TopicLine line, long now) {
    List<KafkaSend> late = line.queued.stream().filter(send -> send.hasExpired(now)).toList();
    if (!late.isEmpty()) {
      line.queued.removeAll(late);
      late.forEach(send -> finish(send, send.expired()));
    }
  }

  /** The client has it and would send it whenever it can: it has to forget all that it has. */
  private void takeBack(TopicLine line, long now) {
    line.allSent()
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
    settle(oldest, KafkaDiagnosis.unconfirmed(producer, oldest.line.topic, limits));
    stop();
    abort();
  }

  /** Sends nothing any more. What the client has may still be confirmed. */
  private void stop() {
    stopped = true;
    lines.values().forEach(line -> settleQueued(line, closed ? CLOSED : afterStop));
    turns.clear(send -> settle(send, closed ? CLOSED : afterStop));
    ready.clear();
  }

  private void settleQueued(TopicLine line, Outcome outcome) {
    line.queued.forEach(send -> settle(send, outcome));
    line.queued.clear();
  }

  private boolean settle(KafkaSend send, Outcome outcome) {
    boolean first = settlements.settle(send, outcome);
    if (first) {
      send.line.outstanding--;
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

  /** The line of a destination, or null if it is no topic of this broker. */
  private @Nullable TopicLine line(String destination) {
    TopicLine line = lines.get(destination);
    if (line != null) {
      return line;
    }
    KafkaTopic topic = KafkaTopic.at(broker, destination);
    if (topic == null) {
      return null;
    }
    forgetIdleLines();
    line = new TopicLine(topic.name(), KafkaWire.destination(destination));
    lines.put(destination, line);
    return line;
  }

  /** There may be no end of topics. */
  private void forgetIdleLines() {
    if (lines.size() >= mostLines) {
      lines.values().removeIf(line -> line.outstanding == 0);
      mostLines = Math.max(MOST_IDLE_LINES, 2 * lines.size());
    }
  }
}
