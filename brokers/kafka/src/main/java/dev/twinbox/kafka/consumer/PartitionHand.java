package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.Receipt;
import dev.twinbox.kafka.doctor.CommittedTopic;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What is in hand of one partition, from its assignment to its revocation: another assignment is
 * another object, so that what ends late is recognised. Guarded by {@link InHand}.
 */
class PartitionHand {
  private final TopicPartition partition;
  private final Deque<Taken> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private long records;
  private int inWork;
  private long heldUntil;
  private boolean held;
  private @Nullable OffsetAndMetadata progress;
  private long next;
  private int log;
  private boolean startIsSettled;
  private @Nullable CommittedTopic topic;

  PartitionHand(TopicPartition partition) {
    this.partition = partition;
  }

  TopicPartition partition() {
    return partition;
  }

  /** How many records came since the assignment. */
  long records() {
    return records;
  }

  /** Says from where it is read; nothing is asked of Kafka before. */
  void startsAt(@Nullable CommittedTopic readTopic, @Nullable OffsetAndMetadata toCommit) {
    startIsSettled = true;
    topic = readTopic;
    if (toCommit != null) {
      progress = toCommit;
    }
  }

  boolean startIsSettled() {
    return startIsSettled;
  }

  /** The topic in which its offsets count, or null when that is not known. */
  @Nullable CommittedTopic topic() {
    return topic;
  }

  /** The lowest offset that comes next in this log. */
  long next() {
    return next;
  }

  /** How often the log went back since the assignment. */
  int log() {
    return log;
  }

  /**
   * The log has been cut off below what came from it. What came and waits is still handled, but its
   * offsets mean nothing any more.
   */
  void logWentBack() {
    log++;
    next = 0;
    records = 0;
    progress = null;
  }

  final boolean isOfThisLog(Taken taken) {
    return taken.log() == log;
  }

  void add(Taken taken) {
    next = taken.offset() + 1;
    waiting.addLast(taken);
    waitingBytes += taken.bytes();
    records++;
  }

  int waiting() {
    return waiting.size();
  }

  long waitingBytes() {
    return waitingBytes;
  }

  int inWork() {
    return inWork;
  }

  boolean isIdle() {
    return inWork == 0;
  }

  void dropWaiting() {
    waiting.clear();
    waitingBytes = 0;
  }

  /** Whether a failed record waits for its time. */
  boolean isHeld(long now) {
    return held && now - heldUntil < 0;
  }

  /** Whether failed records stand at the head. */
  boolean isRetrying() {
    Taken first = waiting.peekFirst();
    return first != null && first.retry();
  }

  /** Whether the time of a failed record has come. */
  boolean hasDueRetry(long now) {
    return isRetrying() && !isHeld(now);
  }

  /** Whether Kafka may bring more. */
  boolean wantsMore(long now) {
    return !isHeld(now) && !isRetrying();
  }

  /** Moves records from the head to work; only failed ones, or only others. */
  void takeInto(List<Taken> batch, int limit, boolean retries, long now) {
    while (batch.size() < limit) {
      Taken first = waiting.peekFirst();
      if (first == null || first.retry() != retries) {
        return;
      }
      batch.add(waiting.removeFirst());
      waitingBytes -= first.bytes();
      takenToWork(1);
    }
  }

  /** Counts records that go to work, or come back. */
  final void takenToWork(int records) {
    inWork += records;
  }

  /** Takes note of what became of the records in work, given in order. */
  void settle(List<Taken> worked, List<Receipt> receipts, long now) {
    inWork -= worked.size();
    held = false;
    List<Taken> again = new ArrayList<>();
    for (int i = 0; i < worked.size(); i++) {
      Receipt receipt = receipts.get(i);
      if (!receipt.settled()) {
        again.add(worked.get(i).asRetry());
      }
      if (receipt instanceof Receipt.Failed failed) {
        hold(failed.retryAfter(), now);
      }
    }
    Optional<Taken> open = again.stream().filter(this::isOfThisLog).findFirst();
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

  /** Returns records that nothing was decided about. */
  void giveBackUndecided(List<Taken> worked) {
    inWork -= worked.size();
    giveBack(worked);
  }

  /** What may be committed and is not yet, or null. */
  @Nullable OffsetAndMetadata progress() {
    return progress;
  }

  void committed(OffsetAndMetadata offset) {
    if (offset.equals(progress)) {
      progress = null;
    }
  }

  private void hold(Duration pause, long now) {
    long until = now + pause.toNanos();
    if (!held || until - heldUntil > 0) {
      heldUntil = until;
    }
    held = true;
  }

  private void giveBack(List<Taken> again) {
    for (int i = again.size() - 1; i >= 0; i--) {
      waiting.addFirst(again.get(i));
      waitingBytes += again.get(i).bytes();
    }
  }

  final void progressTo(long offset, Taken from) {
    progress =
        new OffsetAndMetadata(offset, from.leaderEpoch(), topic == null ? "" : topic.metadata());
  }
}
