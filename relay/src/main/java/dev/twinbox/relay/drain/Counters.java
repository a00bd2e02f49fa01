package dev.twinbox.relay.drain;

import dev.twinbox.relay.publish.OutboxRecord;
import dev.twinbox.relay.publish.Outcome;
import dev.twinbox.relay.store.DeadLetters.Cause;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what a relay has done since it started. Thread-safe. */
public final class Counters {
  private static final Logger log = LoggerFactory.getLogger(Counters.class);

  private final LongAdder published = new LongAdder();
  private final LongAdder deadLettered = new LongAdder();
  private final LongAdder expired = new LongAdder();
  private final LongAdder windows = new LongAdder();

  void published() {
    published.increment();
  }

  void windowSettled() {
    windows.increment();
  }

  void deadLettered(OutboxRecord record, Cause cause) {
    deadLettered.increment();
    if (cause.reason().equals(Outcome.Reason.EXPIRED.code())) {
      expired.increment();
    }
    log.warn(
        "Message {} to {} is a dead letter: {} ({})",
        record.id(),
        record.destination(),
        cause.reason(),
        cause.error());
  }

  /** Messages that a broker has confirmed. */
  public long publishedCount() {
    return published.sum();
  }

  /** Messages that were given up. */
  public long deadLetteredCount() {
    return deadLettered.sum();
  }

  /** Of those that were given up: messages whose expiry time has passed. */
  public long expiredCount() {
    return expired.sum();
  }

  /** Windows that were drained to their end. */
  public long windowCount() {
    return windows.sum();
  }
}
