package dev.twinbox.cli.memory;

import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.HandlerWatch;
import dev.twinbox.inbox.Pauses;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import java.rmi.RemoteException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Receives a topic in order, a batch at a time; what is not settled is read again. */
final class MemoryConsumer implements AutoCloseable {
  private static final long LOOK_MILLIS = 20;

  private final Receiver receiver;
  private final Remotely server;
  private final String group;
  private final String topic;
  private final int batchSize;
  private final Duration closeLimit;
  private final HandlerWatch watch;
  private final Thread worker = new Thread(this::work, "memory-consumer");
  private final Thread watcher = new Thread(this::interruptHanging, "memory-watcher");
  private int handed;
  private volatile boolean stopping;

  MemoryConsumer(
      Receiver receiver,
      Remotely server,
      String group,
      String topic,
      int batchSize,
      Duration closeLimit) {
    this.receiver = receiver;
    this.server = server;
    this.group = group;
    this.topic = topic;
    this.batchSize = batchSize;
    this.closeLimit = closeLimit;
    watch = new HandlerWatch(receiver.handlerTimeLimit());
    watcher.setDaemon(true);
    worker.setDaemon(true);
    worker.start();
    watcher.start();
  }

  /**
   * @param handed how many messages of the topic were handed to the receiver before: these may have
   *     failed, which the inbox has to know
   */
  @SuppressWarnings("NullAway") // which reads "byte @Nullable []" of other modules wrongly
  static List<Delivery> read(Remotely server, String topic, int from, int most, int handed)
      throws RemoteException {
    List<Delivery> deliveries = new ArrayList<>();
    int place = from;
    for (Remotely.Kept kept : server.read(topic, from, most)) {
      String origin = "memory:%s/0/%s".formatted(topic, place);
      deliveries.add(
          Delivery.builder()
              .id(kept.id())
              .key(kept.key())
              .payload(kept.payload())
              .origin(origin)
              .redelivered(place++ < handed)
              .build());
    }
    return deliveries;
  }

  private void work() {
    Pauses pauses = new Pauses();
    while (!stopping) {
      Duration pause;
      try {
        pause = receive(server.join(group));
        pauses.reset();
      } catch (RemoteException | DatabaseUnavailableException e) {
        pause = pauses.next();
      } finally {
        watch.ends();
        Thread.interrupted(); // an interrupt was meant for the handler that has ended now
      }
      rest(pause);
    }
  }

  /** Until something is not settled, or belongs to another session. */
  private Duration receive(long session) throws RemoteException {
    while (!stopping) {
      int settled = server.settled(group, topic);
      List<Delivery> batch = read(server, topic, settled, batchSize, handed);
      if (batch.isEmpty()) {
        rest(Duration.ofMillis(LOOK_MILLIS));
        continue;
      }
      handed = Math.max(handed, settled + batch.size());
      watch.begins();
      List<Receipt> receipts = receiver.receiveAll(batch, watch);
      watch.ends();
      int done = 0;
      while (done < receipts.size() && receipts.get(done).settled()) {
        done++;
      }
      if (!server.settle(group, session, topic, settled + done)) {
        return Duration.ZERO;
      }
      if (done < receipts.size()) {
        return receipts.get(done).retryAfter();
      }
    }
    return Duration.ZERO;
  }

  private void rest(Duration pause) {
    long end = System.nanoTime() + pause.toNanos();
    try {
      while (!stopping && System.nanoTime() - end < 0) {
        Thread.sleep(Math.min(LOOK_MILLIS, Math.max(1, pause.toMillis())));
      }
    } catch (InterruptedException e) {
      Thread.interrupted(); // the end is told by stopping
    }
  }

  private void interruptHanging() {
    try {
      while (worker.isAlive()) {
        long since = watch.hangsSince();
        if (since != 0) {
          watch.interrupt(since);
        }
        Thread.sleep(LOOK_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws InterruptedException {
    stopping = true;
    worker.join(closeLimit.toMillis());
    watch.abandon();
    worker.interrupt();
    worker.join(Duration.ofSeconds(60).toMillis());
  }
}
