package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.Receipt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/** A partition whose records wait behind a failed one until it is settled. */
final class OrderedBuffer extends PartitionBuffer {
  private long heldUntil;
  private boolean held;

  OrderedBuffer(TopicPartition partition) {
    super(partition);
  }

  @Override
  boolean isHeld(long now) {
    return held && now - heldUntil < 0;
  }

  @Override
  boolean isRetrying() {
    BufferedRecord first = first();
    return first != null && first.retry();
  }

  @Override
  boolean hasDueRetry(long now) {
    return isRetrying() && !isHeld(now);
  }

  @Override
  boolean wantsMore(long now) {
    return !isHeld(now) && !isRetrying();
  }

  @Override
  void takeInto(List<BufferedRecord> batch, int limit, boolean retries, long now) {
    takeFirstInto(batch, limit, retries);
  }

  @Override
  void settle(List<BufferedRecord> worked, List<Receipt> receipts, long now) {
    takenToWork(-worked.size());
    held = false;
    List<BufferedRecord> again = new ArrayList<>();
    for (int i = 0; i < worked.size(); i++) {
      Receipt receipt = receipts.get(i);
      if (!receipt.settled()) {
        again.add(worked.get(i).asRetry());
      }
      if (!receipt.retryAfter().isZero()) {
        hold(receipt.retryAfter(), now);
      }
    }
    Optional<BufferedRecord> open = again.stream().filter(this::isOfThisLog).findFirst();
    if (open.isPresent()) {
      progressTo(open.get().offset(), open.get());
    } else {
      worked.stream()
          .filter(this::isOfThisLog)
          .reduce((before, after) -> after)
          .ifPresent(last -> progressTo(last.offset() + 1, last));
    }
    giveBack(again);
  }

  @Override
  void giveBackUndecided(List<BufferedRecord> worked) {
    takenToWork(-worked.size());
    giveBack(worked);
  }

  private void hold(Duration pause, long now) {
    long until = now + pause.toNanos();
    if (!held || until - heldUntil > 0) {
      heldUntil = until;
    }
    held = true;
  }
}
