package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.Receipt;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;

/**
 * A partition whose records may overtake a failed one: it waits aside, and its offset holds the
 * partition's progress back, so that nothing is lost in a crash. How far the others may get ahead
 * is limited, because all of that is delivered again then.
 */
final class OvertakingBuffer extends PartitionBuffer {
  /** A failed record and when it is tried again, by {@link System#nanoTime()}. */
  private record Aside(BufferedRecord record, long due) {}

  private final int furthestAhead;
  private final List<Aside> aside = new ArrayList<>();
  private final TreeSet<Long> open = new TreeSet<>();
  private int ahead;
  private long reached;

  OvertakingBuffer(TopicPartition partition, int furthestAhead) {
    super(partition);
    this.furthestAhead = furthestAhead;
  }

  @Override
  long waitingBytes() {
    return super.waitingBytes() + aside.stream().mapToLong(a -> a.record().bytes()).sum();
  }

  @Override
  void dropWaiting() {
    super.dropWaiting();
    aside.clear();
  }

  @Override
  void logWentBack() {
    super.logWentBack();
    open.clear();
    ahead = 0;
    reached = 0;
  }

  @Override
  boolean isHeld(long now) {
    return false;
  }

  @Override
  boolean isRetrying() {
    return !aside.isEmpty();
  }

  @Override
  boolean hasDueRetry(long now) {
    return aside.stream().anyMatch(a -> now - a.due() >= 0);
  }

  @Override
  boolean wantsMore(long now) {
    return ahead < furthestAhead;
  }

  @Override
  void takeInto(List<BufferedRecord> batch, int limit, boolean retries, long now) {
    if (!retries) {
      int most = Math.min(limit, batch.size() + Math.max(0, furthestAhead - ahead));
      int before = batch.size();
      takeFirstInto(batch, open.isEmpty() ? limit : most, false);
      ahead += open.isEmpty() ? 0 : batch.size() - before;
      return;
    }
    for (Aside waiting : List.copyOf(aside)) {
      if (batch.size() < limit && now - waiting.due() >= 0) {
        aside.remove(waiting);
        batch.add(waiting.record());
        takenToWork(1);
      }
    }
  }

  @Override
  void settle(List<BufferedRecord> worked, List<Receipt> receipts, long now) {
    takenToWork(-worked.size());
    for (int i = 0; i < worked.size(); i++) {
      BufferedRecord record = worked.get(i);
      boolean counts = isOfThisLog(record);
      reached = counts ? Math.max(reached, record.offset() + 1) : reached;
      if (receipts.get(i).settled()) {
        if (counts) {
          open.remove(record.offset());
        }
      } else {
        if (counts) {
          open.add(record.offset());
        }
        long pause = receipts.get(i).retryAfter().toNanos();
        aside.add(new Aside(record.asRetry(), now + pause));
      }
    }
    if (open.isEmpty()) {
      ahead = 0;
    }
    worked.stream()
        .filter(this::isOfThisLog)
        .reduce((before, after) -> after)
        .ifPresent(last -> progressTo(open.isEmpty() ? reached : open.first(), last));
  }

  @Override
  void giveBackUndecided(List<BufferedRecord> worked) {
    List<BufferedRecord> others = new ArrayList<>();
    for (BufferedRecord record : worked) {
      if (record.retry()) {
        aside.add(new Aside(record, System.nanoTime()));
        takenToWork(-1);
      } else {
        others.add(record);
      }
    }
    ahead = Math.max(0, ahead - others.size());
    takenToWork(-others.size());
    giveBack(others);
  }
}
