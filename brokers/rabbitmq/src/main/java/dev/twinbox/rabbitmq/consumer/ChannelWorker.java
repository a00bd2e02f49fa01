package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import dev.twinbox.broker.Supervision;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.HandlerWatch;
import dev.twinbox.inbox.Pauses;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles what one channel brings, in order, and acknowledges what the database has committed.
 *
 * <p>The client's own thread only puts deliveries into a queue, which the channel's prefetch keeps
 * short. When the channel is closed, for whatever reason, everything in hand is forgotten: the
 * broker delivers it again.
 */
final class ChannelWorker extends DefaultConsumer implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(ChannelWorker.class);
  private static final long LOOK_MILLIS = 100;
  private static final long LOOK_WHILE_HELD_MILLIS = 10;

  private final Receiver receiver;
  private final HandlerWatch watch;
  private final String queue;
  private final int batchSize;
  private final BlockingQueue<Unacknowledged> arrived = new LinkedBlockingQueue<>();
  private final HeldKeys held;
  private final TreeSet<Long> open = new TreeSet<>();
  private final Pauses pauses = new Pauses();
  private final Thread thread;
  private volatile boolean stopping;
  private volatile boolean lost;

  ChannelWorker(String name, Channel channel, Receiver receiver, String queue, int batchSize) {
    super(channel);
    this.receiver = receiver;
    this.queue = queue;
    this.batchSize = batchSize;
    held = new HeldKeys(receiver.mayOvertake());
    watch = new HandlerWatch(receiver.handlerTimeLimit());
    thread = Supervision.thread(name, this);
  }

  void start(int prefetch) throws IOException {
    getChannel().basicQos(prefetch);
    getChannel().basicConsume(queue, false, this);
    thread.start();
  }

  /** Lets the worker end after its batch. */
  void stop() {
    stopping = true;
  }

  boolean awaitEnd(long deadline) throws InterruptedException {
    thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
    return !thread.isAlive();
  }

  HandlerWatch watch() {
    return watch;
  }

  /** Waits no longer: no handler begins any more, and what is interrupted now is not counted. */
  void abandon() {
    watch.abandon();
    thread.interrupt();
  }

  /** Whether the channel has nothing more to bring. */
  boolean isLost() {
    return lost || !getChannel().isOpen();
  }

  @Override
  public void handleDelivery(
      String consumerTag, Envelope envelope, BasicProperties properties, byte[] body) {
    try {
      arrived.add(
          new Unacknowledged(
              envelope.getDeliveryTag(),
              RabbitDeliveries.delivery(queue, envelope, properties, body)));
    } catch (RuntimeException | Error e) {
      // Whatever the user's exception handler makes of it: what is not in hand is not acknowledged.
      lost = true;
      log.error("The channel on queue '{}' is given up for another", queue, e);
    }
  }

  /** The broker's own cancellation: the queue was deleted or its node is gone. */
  @Override
  public void handleCancel(String consumerTag) {
    log.warn("The consumer on queue '{}' was cancelled by the broker", queue);
    lost = true;
  }

  @Override
  public void handleShutdownSignal(String consumerTag, ShutdownSignalException signal) {
    lost = true;
  }

  @Override
  public void run() {
    try {
      work();
    } finally {
      lost = true; // without its thread the channel is of no use
    }
  }

  private void work() {
    while (!stopping && !isLost()) {
      try {
        List<Unacknowledged> batch = next();
        if (!batch.isEmpty()) {
          receive(batch);
        }
      } catch (InterruptedException e) {
        log.debug("Interrupted between two batches"); // the end is told by stopping or lost
      } catch (IOException | AlreadyClosedException e) {
        log.debug("Acknowledgements on queue '{}' were lost with the channel", queue, e);
        lost = true;
      } catch (RuntimeException | Error e) {
        log.error("The channel on queue '{}' is given up for another", queue, e);
        lost = true;
      }
    }
  }

  /** Failed ones whose time has come go first and alone; then whatever has arrived. */
  private List<Unacknowledged> next() throws InterruptedException {
    List<Unacknowledged> due = held.due();
    if (!due.isEmpty()) {
      return due;
    }
    long patience = held.isEmpty() ? LOOK_MILLIS : LOOK_WHILE_HELD_MILLIS;
    @Nullable Unacknowledged first = arrived.poll(patience, TimeUnit.MILLISECONDS);
    List<Unacknowledged> batch = new ArrayList<>();
    while (first != null) {
      open.add(first.tag());
      if (!held.queueUp(first)) {
        batch.add(first);
      }
      first = batch.size() < batchSize ? arrived.poll() : null;
    }
    return batch;
  }

  private void receive(List<Unacknowledged> batch) throws InterruptedException, IOException {
    List<Receipt> receipts = receiveUnlessLost(batch);
    Set<Long> settled = new HashSet<>();
    for (int i = 0; i < receipts.size(); i++) {
      if (receipts.get(i).settled()) {
        settled.add(batch.get(i).tag());
      } else {
        held.keep(batch.get(i), receipts.get(i));
      }
    }
    acknowledge(settled);
  }

  /** Waits while the database is away; empty when the channel was lost or it is time to end. */
  private List<Receipt> receiveUnlessLost(List<Unacknowledged> batch) throws InterruptedException {
    while (!isLost()) {
      watch.begins();
      Duration pause;
      try {
        List<Receipt> receipts =
            receiver.receiveAll(batch.stream().map(Unacknowledged::delivery).toList(), watch);
        pauses.reset();
        return receipts;
      } catch (DatabaseUnavailableException e) {
        pause = pauses.next();
        log.warn("Consumption pauses for {}: {}", pause, e.getMessage());
      } catch (RuntimeException | Error e) {
        pause = pauses.next();
        log.error("A batch was not received; it is tried again in {}", pause, e);
      } finally {
        watch.ends();
        Thread.interrupted(); // an interrupt was meant for the handler that has ended now
      }
      long end = System.nanoTime() + pause.toNanos();
      while (System.nanoTime() - end < 0) {
        if (stopping || isLost()) {
          return List.of();
        }
        Thread.sleep(LOOK_WHILE_HELD_MILLIS);
      }
    }
    return List.of();
  }

  /** One acknowledgement for all up to a tag where nothing before it is open, else each its own. */
  private void acknowledge(Set<Long> settled) throws IOException {
    open.removeAll(settled);
    long firstOpen = open.isEmpty() ? Long.MAX_VALUE : open.first();
    long together = 0;
    for (long tag : settled) {
      if (tag < firstOpen) {
        together = Math.max(together, tag);
      }
    }
    if (together > 0) {
      getChannel().basicAck(together, true);
    }
    for (long tag : settled) {
      if (tag > firstOpen) {
        getChannel().basicAck(tag, false);
      }
    }
  }
}
