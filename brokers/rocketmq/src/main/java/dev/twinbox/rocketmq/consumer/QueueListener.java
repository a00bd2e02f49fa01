package dev.twinbox.rocketmq.consumer;

import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.HandlerWatch;
import dev.twinbox.inbox.Pauses;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.doctor.StartGate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives batch after batch of a queue, one at a time, as RocketMQ's client calls it. What is not
 * settled suspends its queue: the client hands out the same batch later, of which the inbox
 * recognises what was settled.
 */
final class QueueListener implements MessageListenerOrderly {
  private static final Logger log = LoggerFactory.getLogger(QueueListener.class);
  private static final Duration GATE_PAUSE = Duration.ofSeconds(1);

  /** The client suspends a queue for no longer than that, and is told to suspend it again. */
  private static final long LONGEST_SUSPENSION_MILLIS = 30_000;

  /** What a queue waits for, and whether its next batch may have been delivered before. */
  private static final class QueueState {
    final Pauses pauses = new Pauses();
    long notBefore = System.nanoTime();
    boolean known;
  }

  private final Receiver receiver;
  private final StartGate gate;
  private final Consumer<MessageQueue> beforeBatch;
  private final Map<MessageQueue, QueueState> queues = new ConcurrentHashMap<>();
  private final Set<HandlerWatch> watches = ConcurrentHashMap.newKeySet();
  private final AtomicInteger working = new AtomicInteger();
  private volatile boolean stopping;

  /**
   * @param beforeBatch told of each queue of which a batch is about to be handled: all before it is
   *     settled
   */
  QueueListener(Receiver receiver, StartGate gate, Consumer<MessageQueue> beforeBatch) {
    this.receiver = receiver;
    this.gate = gate;
    this.beforeBatch = beforeBatch;
  }

  @Override
  public ConsumeOrderlyStatus consumeMessage(
      List<MessageExt> messages, ConsumeOrderlyContext context) {
    working.incrementAndGet();
    try {
      Duration pause =
          stopping || !gate.isOpen() ? GATE_PAUSE : receive(context.getMessageQueue(), messages);
      if (pause.isZero()) {
        return ConsumeOrderlyStatus.SUCCESS;
      }
      context.setSuspendCurrentQueueTimeMillis(
          Math.min(LONGEST_SUSPENSION_MILLIS, Math.max(1, pause.toMillis())));
      return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
    } finally {
      working.decrementAndGet();
    }
  }

  /** For how long the queue is suspended; zero when all of the batch is settled. */
  private Duration receive(MessageQueue queue, List<MessageExt> messages) {
    QueueState state = queues.computeIfAbsent(queue, ignored -> new QueueState());
    long wait = state.notBefore - System.nanoTime();
    if (wait > 0) {
      return Duration.ofNanos(wait);
    }
    Duration pause = receiveNow(queue, state, messages);
    state.notBefore = System.nanoTime() + pause.toNanos();
    return pause;
  }

  private Duration receiveNow(MessageQueue queue, QueueState state, List<MessageExt> messages) {
    HandlerWatch watch = new HandlerWatch(receiver.handlerTimeLimit());
    watches.add(watch);
    watch.begins();
    try {
      beforeBatch.accept(queue);
      // The first batch of a queue may be one at which this process, or another, has died.
      boolean redelivered = !state.known;
      state.known = true;
      List<Delivery> deliveries = new ArrayList<>(messages.size());
      for (MessageExt message : messages) {
        deliveries.add(
            RocketDeliveries.delivery(message, redelivered || message.getReconsumeTimes() > 0));
      }
      Duration pause = longest(receiver.receiveAll(deliveries, watch));
      state.pauses.reset();
      return pause;
    } catch (DatabaseUnavailableException e) {
      Duration pause = state.pauses.next();
      log.warn("Consumption of {} pauses for {}: {}", queue, pause, e.getMessage());
      return pause;
    } catch (RuntimeException | Error e) {
      Duration pause = state.pauses.next();
      log.error("A batch of {} was not received; it is tried again in {}", queue, pause, e);
      return pause;
    } finally {
      watch.ends();
      watches.remove(watch);
      Thread.interrupted(); // an interrupt was meant for the handler that has ended now
    }
  }

  /** Zero when all is settled; else the time that the one that has to wait longest waits. */
  private static Duration longest(List<Receipt> receipts) {
    Duration longest = Duration.ZERO;
    for (Receipt receipt : receipts) {
      if (!receipt.settled()) {
        Duration wait = receipt.retryAfter().isZero() ? Duration.ofMillis(1) : receipt.retryAfter();
        longest = wait.compareTo(longest) > 0 ? wait : longest;
      }
    }
    return longest;
  }

  /** The queue went to another member: when it comes back, it may bring what was begun there. */
  void forget(MessageQueue queue) {
    queues.remove(queue);
  }

  Set<MessageQueue> known() {
    return queues.keySet();
  }

  /** Interrupts handlers that run beyond their limit. */
  void interruptWhatHangs() {
    for (HandlerWatch watch : watches) {
      long since = watch.hangsSince();
      if (since != 0) {
        log.error(
            "A handler has been running for more than {}; it is interrupted",
            receiver.handlerTimeLimit());
        watch.interrupt(since);
      }
    }
  }

  /** Begins no batch any more. */
  void stop() {
    stopping = true;
  }

  boolean isWorking() {
    return working.get() > 0;
  }

  /** Waits no longer: no handler begins any more, and what is interrupted now is not counted. */
  void abandon() {
    watches.forEach(HandlerWatch::abandon);
  }
}
