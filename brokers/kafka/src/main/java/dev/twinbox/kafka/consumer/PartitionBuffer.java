package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.Receipt;
import dev.twinbox.kafka.doctor.CommittedTopic;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The records of one partition that are not settled, from its assignment to its revocation: another
 * assignment is another object, so that what ends late is recognised. Subclasses decide what
 * happens behind a record that failed. Guarded by {@link PolledRecords}.
 */
abstract class PartitionBuffer {
  private final TopicPartition partition;
  private final Deque<BufferedRecord> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private long records;
  private int inWork;
  private @Nullable OffsetAndMetadata progress;
  private long next;
  private int log;
  private boolean startIsSettled;
  private @Nullable CommittedTopic topic;

  PartitionBuffer(TopicPartition partition) {
    this.partition = partition;
  }

  /** Whether nothing may be taken, since a failed record waits for its time. */
  abstract boolean isHeld(long now);

  /** Whether failed records wait. */
  abstract boolean isRetrying();

  /** Whether the time of a failed record has come. */
  abstract boolean hasDueRetry(long now);

  /** Whether Kafka may bring more. */
  abstract boolean wantsMore(long now);

  /** Moves records to work; only failed ones, or only others. */
  abstract void takeInto(List<BufferedRecord> batch, int limit, boolean retries, long now);

  /** Records the outcomes of records in work, given in order. */
  abstract void settle(List<BufferedRecord> worked, List<Receipt> receipts, long now);

  /** Returns records that nothing was decided about. */
  abstract void giveBackUndecided(List<BufferedRecord> worked);

  final TopicPartition partition() {
    return partition;
  }

  /** How many records came since the assignment. */
  final long records() {
    return records;
  }

  /** Says from where it is read; nothing is asked of Kafka before. */
  final void startsAt(@Nullable CommittedTopic readTopic, @Nullable OffsetAndMetadata toCommit) {
    startIsSettled = true;
    topic = readTopic;
    if (toCommit != null) {
      progress = toCommit;
    }
  }

  final boolean startIsSettled() {
    return startIsSettled;
  }

  /** The topic in which its offsets count, or null when that is not known. */
  final @Nullable CommittedTopic topic() {
    return topic;
  }

  /** The lowest offset that comes next in this log. */
  final long next() {
    return next;
  }

  /** How often the log went back since the assignment. */
  final int log() {
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

  final boolean isOfThisLog(BufferedRecord record) {
    return record.log() == log;
  }

  final void add(BufferedRecord record) {
    next = record.offset() + 1;
    waiting.addLast(record);
    waitingBytes += record.bytes();
    records++;
  }

  final int waiting() {
    return waiting.size();
  }

  long waitingBytes() {
    return waitingBytes;
  }

  final int inWork() {
    return inWork;
  }

  final boolean isIdle() {
    return inWork == 0;
  }

  void dropWaiting() {
    waiting.clear();
    waitingBytes = 0;
  }

  /** The record at the head, or null. */
  final @Nullable BufferedRecord first() {
    return waiting.peekFirst();
  }

  /** Moves records from the head to work, as long as they are failed ones, or others. */
  final void takeFirstInto(List<BufferedRecord> batch, int limit, boolean retries) {
    while (batch.size() < limit) {
      BufferedRecord first = first();
      if (first == null || first.retry() != retries) {
        return;
      }
      batch.add(waiting.removeFirst());
      waitingBytes -= first.bytes();
      takenToWork(1);
    }
  }

  /** Counts records that go to work, or come back. */
  final void takenToWork(int count) {
    inWork += count;
  }

  /** Returns records to the head, in their order. */
  final void giveBack(List<BufferedRecord> again) {
    for (int i = again.size() - 1; i >= 0; i--) {
      waiting.addFirst(again.get(i));
      waitingBytes += again.get(i).bytes();
    }
  }

  /** What may be committed and is not yet, or null. */
  final @Nullable OffsetAndMetadata progress() {
    return progress;
  }

  final void committed(OffsetAndMetadata offset) {
    if (offset.equals(progress)) {
      progress = null;
    }
  }

  final void progressTo(long offset, BufferedRecord from) {
    progress =
        new OffsetAndMetadata(offset, from.leaderEpoch(), topic == null ? "" : topic.metadata());
  }
}
