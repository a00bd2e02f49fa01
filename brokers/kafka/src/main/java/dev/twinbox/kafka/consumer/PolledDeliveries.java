package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.DeliverySource;
import dev.twinbox.inbox.Receipt;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records that are received one after another, beginning with those given. For one thread. */
final class PolledDeliveries implements DeliverySource {
  private final PolledRecords polled;
  private final Runnable taken;
  private final Runnable settled;
  private final Deque<BufferedRecord> coming;
  private final Deque<BufferedRecord> unsettled = new ArrayDeque<>();

  /**
   * @param taken called before each record is handed out
   * @param settled called when a record is settled
   */
  PolledDeliveries(
      PolledRecords polled, List<BufferedRecord> first, Runnable taken, Runnable settled) {
    this.polled = polled;
    this.taken = taken;
    this.settled = settled;
    coming = new ArrayDeque<>(first);
  }

  @Override
  public @Nullable Delivery next() {
    if (coming.isEmpty()) {
      coming.addAll(polled.takeNext());
    }
    BufferedRecord next = coming.pollFirst();
    if (next == null) {
      return null;
    }
    unsettled.addLast(next);
    taken.run();
    return next.delivery();
  }

  @Override
  public void received(Receipt receipt) {
    BufferedRecord first = unsettled.removeFirst();
    if (!receipt.settled()) {
      polled.giveBack(undecided()); // before the failed one, which then stands before them
    }
    polled.settle(List.of(first), List.of(receipt));
    settled.run();
  }

  /** Hands out, for the last time, what was taken and not settled. */
  List<BufferedRecord> undecided() {
    List<BufferedRecord> undecided = new ArrayList<>(unsettled);
    undecided.addAll(coming);
    unsettled.clear();
    coming.clear();
    return undecided;
  }
}
