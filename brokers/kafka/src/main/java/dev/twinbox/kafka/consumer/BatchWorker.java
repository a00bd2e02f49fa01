package dev.twinbox.kafka.consumer;

import dev.twinbox.broker.Supervision;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Pauses;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Handles batch after batch, so that the polling thread never waits for a handler. */
final class BatchWorker implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(BatchWorker.class);

  private final Inbox inbox;
  private final Handler handler;
  private final boolean singly;
  private final PolledRecords polled;
  private final Runnable progressed;
  private final Pauses pauses = new Pauses();
  private volatile long handlingSince;
  private volatile long interruptedSince;
  private volatile boolean abandoned;
  private volatile boolean failed;

  /**
   * @param singly whether each message gets a transaction of its own
   */
  BatchWorker(
      Inbox inbox, Handler handler, boolean singly, PolledRecords polled, Runnable progressed) {
    this.inbox = inbox;
    this.singly = singly;
    this.polled = polled;
    this.progressed = progressed;
    this.handler =
        (delivery, work) -> {
          begins();
          handler.handle(delivery, work);
        };
  }

  @Override
  public void run() {
    while (!polled.isClosed()) {
      if (!Supervision.attempt("The handling of records", this::handleNext)) {
        // What became of the batch is unknown. Its partitions are read again from their offsets.
        handlingSince = 0;
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

  /** Since when one handler has been running for longer than this; 0 when none has. */
  long hangsSince(Duration limit) {
    long since = handlingSince;
    boolean hangs = since != interruptedSince && System.nanoTime() - since > limit.toNanos();
    return since != 0 && hangs ? since : 0;
  }

  /** Whether the handler that began then still runs and is to be interrupted; the next may hang. */
  boolean interrupts(long since) {
    interruptedSince = since;
    return handlingSince == since;
  }

  /** Lets no handler begin any more; what is in work is not counted when it is interrupted. */
  void abandon() {
    abandoned = true;
  }

  private void handle(List<BufferedRecord> batch) {
    begins();
    PolledDeliveries deliveries = new PolledDeliveries(polled, batch, this::begins, this::settled);
    try {
      if (singly) {
        inbox.receiveEach(deliveries, handler, () -> !abandoned);
        polled.giveBack(deliveries.undecided());
      } else {
        polled.settle(
            batch,
            inbox.receiveAll(
                batch.stream().map(BufferedRecord::delivery).toList(), handler, () -> !abandoned));
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
      handlingSince = 0;
      Thread.interrupted(); // an interrupt was meant for the handler that has ended now
      progressed.run();
    }
  }

  private void begins() {
    handlingSince = System.nanoTime() | 1; // never the 0 that says "not handling"
  }

  private void settled() {
    pauses.reset();
    progressed.run();
  }
}
