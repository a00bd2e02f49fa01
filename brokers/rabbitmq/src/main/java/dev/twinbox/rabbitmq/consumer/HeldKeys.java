package dev.twinbox.rabbitmq.consumer;

import dev.twinbox.inbox.Receipt;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Deliveries that failed and wait, with those behind them that have the same key: other keys go on
 * meanwhile. They stay unacknowledged, so the prefetch limits them. For one thread.
 */
final class HeldKeys {
  /** A delivery that nobody waits behind waits alone, under its own tag. */
  private record Line(@Nullable String key, long tag) {}

  private static final class Waiting {
    private final List<Unacknowledged> deliveries = new ArrayList<>();
    private long until;
  }

  private final boolean mayOvertake;
  private final Map<Line, Waiting> lines = new LinkedHashMap<>();

  /**
   * @param mayOvertake whether those behind a failed one go on all the same
   */
  HeldKeys(boolean mayOvertake) {
    this.mayOvertake = mayOvertake;
  }

  boolean isEmpty() {
    return lines.isEmpty();
  }

  void clear() {
    lines.clear();
  }

  /** Puts a new delivery behind those of its key, if any wait; tells whether it did. */
  boolean queueUp(Unacknowledged arrived) {
    if (mayOvertake || arrived.delivery().key() == null) {
      return false;
    }
    Waiting waiting = lines.get(line(arrived));
    if (waiting == null) {
      return false;
    }
    waiting.deliveries.add(arrived);
    return true;
  }

  /** Keeps what is not settled, given in the order of arrival. */
  void keep(Unacknowledged delivery, Receipt receipt) {
    Waiting waiting = lines.computeIfAbsent(line(delivery), ignored -> new Waiting());
    waiting.deliveries.add(receipt instanceof Receipt.Failed ? delivery.again() : delivery);
    if (!receipt.retryAfter().isZero()) {
      waiting.until = System.nanoTime() + receipt.retryAfter().toNanos();
    }
  }

  /** Removes the next line whose time has come; empty when there is none. */
  List<Unacknowledged> due() {
    long now = System.nanoTime();
    for (Iterator<Waiting> all = lines.values().iterator(); all.hasNext(); ) {
      Waiting waiting = all.next();
      if (now - waiting.until >= 0) {
        all.remove();
        return waiting.deliveries;
      }
    }
    return List.of();
  }

  private Line line(Unacknowledged delivery) {
    String key = mayOvertake ? null : delivery.delivery().key();
    return new Line(key, key == null ? delivery.tag() : 0);
  }
}
