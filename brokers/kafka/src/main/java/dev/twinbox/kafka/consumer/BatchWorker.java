package dev.twinbox.kafka.consumer;

import dev.twinbox.broker.Supervision;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.HandlerWatch;
import dev.twinbox.inbox.Pauses;
import dev.twinbox.inbox.Receiver;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Handles batch after batch, so that the polling thread never waits for a handler. */
final class BatchWorker implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(BatchWorker.class);

  private final Receiver receiver;
  private final HandlerWatch watch;
  private final boolean singly;
  private final PolledRecords polled;
  private final Runnable progressed;
  private final Pauses pauses = new Pauses();
  private volatile boolean failed;

  /**
   * @param singly whether each message gets a transaction of its own
   */
  BatchWorker(Receiver receiver, boolean singly, PolledRecords polled, Runnable progressed) {
    this.receiver = receiver;
    this.singly = singly;
    this.polled = polled;
    this.progressed = progressed;
    watch = new HandlerWatch(receiver.handlerTimeLimit());
  }

  @Override
  public void run() {
    while (!polled.isClosed()) {
      if (!Supervision.attempt("The handling of records", this::handleNext)) {
        // What became of the batch is unknown. Its partitions are read again from their offsets.
        watch.ends();
        polled.nothingIsInWork();
        failed = true;
        pause();
      }
    }
  }

  private void handleNext() {
    try {
      List<BufferedRecord> batch = polled.take();
      if (!batch.isEmpty()) {
        handle(batch);
      }
    } catch (InterruptedException e) {
      // Only a handler is interrupted on purpose; the end is told by an empty batch.
      log.debug("Interrupted between two batches");
    }
  }

  private void pause() {
    try {
      Thread.sleep(pauses.next().toMillis());
    } catch (InterruptedException e) {
      log.debug("Interrupted in a pause");
    }
  }

  /** Whether a batch was lost by an unexpected error since this was asked last. */
  boolean takeFailure() {
    boolean taken = failed;
    failed = false;
    return taken;
  }

  HandlerWatch watch() {
    return watch;
  }

  private void handle(List<BufferedRecord> batch) {
    watch.begins();
    PolledDeliveries deliveries = new PolledDeliveries(polled, batch, watch::begins, this::settled);
    try {
      if (singly) {
        receiver.receiveEach(deliveries, watch);
        polled.giveBack(deliveries.undecided());
      } else {
        polled.settle(
            batch,
            receiver.receiveAll(batch.stream().map(BufferedRecord::delivery).toList(), watch));
      }
      pauses.reset();
    } catch (DatabaseUnavailableException e) {
      Duration pause = pauses.next();
      log.warn("Consumption pauses for {}: {}", pause, e.getMessage());
      polled.putBack(deliveries.undecided(), pause);
    } catch (RuntimeException | Error e) {
      Duration pause = pauses.next();
      log.error("A batch was not received; it is tried again in {}", pause, e);
      polled.putBack(deliveries.undecided(), pause);
    } finally {
      watch.ends();
      Thread.interrupted(); // an interrupt was meant for the handler that has ended now
      progressed.run();
    }
  }

  private void settled() {
    pauses.reset();
    progressed.run();
  }
}
