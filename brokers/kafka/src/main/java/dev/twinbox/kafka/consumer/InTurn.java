package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Succession;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records that are received one after another, beginning with those given. For one thread. */
final class InTurn implements Succession {
  private final InHand inHand;
  private final Runnable taken;
  private final Runnable settled;
  private final Deque<Taken> coming;
  private final Deque<Taken> unsettled = new ArrayDeque<>();

  /**
   * @param taken called before each record is handed out
   * @param settled called when the border knows what became of a record
   */
  InTurn(InHand inHand, List<Taken> first, Runnable taken, Runnable settled) {
    this.inHand = inHand;
    this.taken = taken;
    this.settled = settled;
    coming = new ArrayDeque<>(first);
  }

  @Override
  public @Nullable Delivery next() {
    if (coming.isEmpty()) {
      coming.addAll(inHand.takeNext());
    }
    Taken next = coming.pollFirst();
    if (next == null) {
      return null;
    }
    unsettled.addLast(next);
    taken.run();
    return next.delivery();
  }

  @Override
  public void received(Receipt receipt) {
    Taken first = unsettled.removeFirst();
    if (!receipt.settled()) {
      inHand.giveBack(undecided()); // before the failed one, which then stands before them
    }
    inHand.settle(List.of(first), List.of(receipt));
    settled.run();
  }

  /** Hands out, for the last time, what was taken and not settled. */
  List<Taken> undecided() {
    List<Taken> undecided = new ArrayList<>(unsettled);
    undecided.addAll(coming);
    unsettled.clear();
    coming.clear();
    return undecided;
  }
}
