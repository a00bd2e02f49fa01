package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.Receipt;
import dev.twinbox.kafka.doctor.CommittedTopic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records polled and not yet settled, and the offset that each partition has reached. The
 * polling thread adds records, the worker takes them in batches and settles them. Thread-safe.
 */
final class PolledRecords {
  private static final Logger log = LoggerFactory.getLogger(PolledRecords.class);
  private static final int SMALLEST_POLL = 100;
  private static final long MOST_BYTES = 32L * 1024 * 1024;

  // How far records may get ahead of one that failed, in batches.
  private static final int FURTHEST_AHEAD = 4;

  private final int batchSize;
  private final int pollSize;
  private final boolean mayOvertake;
  private final Map<TopicPartition, PartitionBuffer> buffers = new LinkedHashMap<>();
  private boolean closed;
  private int inWork;
  private boolean outage;
  private long outageUntil;
  private int settledSinceCommit;
  private boolean full;

  PolledRecords(int batchSize, boolean mayOvertake) {
    this.batchSize = batchSize;
    this.pollSize = pollSize(batchSize);
    this.mayOvertake = mayOvertake;
  }

  /**
   * How many records are polled at once, and committed to Kafka at once: small batches would have
   * the broker asked for each.
   */
  static int pollSize(int batchSize) {
    return Math.max(batchSize, SMALLEST_POLL);
  }

  private PartitionBuffer buffer(TopicPartition partition) {
    return mayOvertake
        ? new OvertakingBuffer(partition, FURTHEST_AHEAD * batchSize)
        : new OrderedBuffer(partition);
  }

  synchronized void assigned(Collection<TopicPartition> partitions) {
    partitions.forEach(partition -> buffers.put(partition, buffer(partition)));
  }

  /** The topics of the assigned partitions. */
  synchronized Set<String> topics() {
    return buffers.keySet().stream().map(TopicPartition::topic).collect(Collectors.toSet());
  }

  /** Assigned partitions whose first offset is not decided yet. */
  synchronized Set<TopicPartition> unsettledStarts() {
    return buffers.values().stream()
        .filter(buffer -> !buffer.startIsSettled())
        .map(PartitionBuffer::partition)
        .collect(Collectors.toSet());
  }

  /**
   * Sets the offset from which the partition is read.
   *
   * @param topic in which the offsets count, or null when that is not known
   * @param toCommit an offset to commit before anything is handled, or null
   */
  synchronized void startsAt(
      TopicPartition partition,
      @Nullable CommittedTopic topic,
      @Nullable OffsetAndMetadata toCommit) {
    PartitionBuffer buffer = buffers.get(partition);
    if (buffer != null) {
      buffer.startsAt(topic, toCommit);
    }
  }

  /**
   * Whether the buffered records are of a former topic of this name; notes a topic that was not
   * known.
   */
  synchronized boolean isReplaced(String topic, CommittedTopic current) {
    boolean replaced = false;
    for (PartitionBuffer buffer : buffers.values()) {
      if (buffer.partition().topic().equals(topic) && buffer.startIsSettled()) {
        CommittedTopic read = buffer.topic();
        if (read == null) {
          buffer.startsAt(current, null);
        } else {
          replaced |= read.isReplacedBy(current);
        }
      }
    }
    return replaced;
  }

  /** Drops the topic: none of its records is handled or committed any more. */
  synchronized void forgetTopic(String topic) {
    buffers.keySet().removeIf(partition -> partition.topic().equals(topic));
  }

  synchronized void add(TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
    PartitionBuffer buffer = buffers.computeIfAbsent(partition, this::buffer);
    if (!records.isEmpty() && records.get(0).offset() < buffer.next()) {
      log.warn(
          "{} went back from offset {} to {}: its log was cut off, by an unclean election or with"
              + " its topic. It is read, and its offsets are committed, from there on",
          partition,
          buffer.next(),
          records.get(0).offset());
      buffer.logWentBack();
    }
    for (ConsumerRecord<byte[], byte[]> record : records) {
      // A batch is in work and a poll's worth may be committed in the database but not yet in
      // Kafka. A process that died may have handled so many records, and where records overtake a
      // failed one, those ahead of it.
      int ahead = mayOvertake ? FURTHEST_AHEAD * batchSize : 0;
      boolean maybeAgain = buffer.records() < 2 * pollSize + ahead;
      buffer.add(
          new BufferedRecord(
              buffer,
              record.offset(),
              record.leaderEpoch(),
              KafkaDeliveries.delivery(record, maybeAgain),
              false,
              buffer.log()));
    }
    notifyAll();
  }

  /** The worker's next batch; waits for one. Empty when it is time to end. */
  synchronized List<BufferedRecord> take() throws InterruptedException {
    while (!closed) {
      long now = System.nanoTime();
      long pause = outage ? outageUntil - now : 0;
      if (pause <= 0) {
        List<BufferedRecord> batch = nextBatch(now);
        if (!batch.isEmpty()) {
          inWork += batch.size();
          return batch;
        }
        // What waited may have gone to others meanwhile: new records have to come to tell whether
        // the database is back.
        outage = false;
        pause = Duration.ofMillis(anyHeld() ? 10 : 1_000).toNanos();
      }
      wait(pause / 1_000_000, (int) (pause % 1_000_000));
    }
    return List.of();
  }

  /**
   * What comes next for a worker that is at it, as a batch of {@link #take}; empty when it should
   * go there.
   */
  synchronized List<BufferedRecord> takeNext() {
    List<BufferedRecord> batch = closed || outage ? List.of() : nextBatch(System.nanoTime());
    inWork += batch.size();
    return batch;
  }

  /** Records that failed go alone: with them the whole batch would run one by one. */
  private List<BufferedRecord> nextBatch(long now) {
    List<BufferedRecord> batch = new ArrayList<>();
    boolean retries = buffers.values().stream().anyMatch(buffer -> buffer.hasDueRetry(now));
    for (PartitionBuffer buffer : List.copyOf(buffers.values())) {
      if (batch.size() < batchSize && !buffer.isHeld(now)) {
        int before = batch.size();
        buffer.takeInto(batch, batchSize, retries, now);
        if (batch.size() > before) {
          // The next batch begins with another partition.
          buffers.remove(buffer.partition());
          buffers.put(buffer.partition(), buffer);
        }
      }
    }
    return batch;
  }

  private boolean anyHeld() {
    return buffers.values().stream().anyMatch(PartitionBuffer::isRetrying);
  }

  synchronized void settle(List<BufferedRecord> batch, List<Receipt> receipts) {
    Map<PartitionBuffer, List<BufferedRecord>> worked = new LinkedHashMap<>();
    Map<PartitionBuffer, List<Receipt>> outcomes = new LinkedHashMap<>();
    for (int i = 0; i < batch.size(); i++) {
      PartitionBuffer buffer = batch.get(i).buffer();
      worked.computeIfAbsent(buffer, ignored -> new ArrayList<>()).add(batch.get(i));
      outcomes.computeIfAbsent(buffer, ignored -> new ArrayList<>()).add(receipts.get(i));
    }
    long now = System.nanoTime();
    worked.forEach(
        (buffer, records) -> buffer.settle(records, outcomes.getOrDefault(buffer, List.of()), now));
    settledSinceCommit += batch.size();
    outage = false;
    inWork -= batch.size();
    notifyAll();
  }

  /**
   * Whether the polling thread should come at once: to commit a poll's worth, or because the worker
   * has little left. Otherwise it comes by itself soon enough.
   */
  synchronized boolean wantsPoll() {
    int waiting = buffers.values().stream().mapToInt(PartitionBuffer::waiting).sum();
    return closed
        || outage
        || settledSinceCommit >= pollSize
        || waiting == 0
        || (full && waiting <= pollSize / 2)
        || anyHeld();
  }

  /** Returns a batch without outcomes; nothing is taken during the pause. */
  synchronized void putBack(List<BufferedRecord> batch, Duration pause) {
    outage = true;
    outageUntil = System.nanoTime() + pause.toNanos();
    giveBack(batch);
  }

  /** Returns records that were taken and not begun; they are the first again. */
  synchronized void giveBack(List<BufferedRecord> batch) {
    Map<PartitionBuffer, List<BufferedRecord>> worked = new LinkedHashMap<>();
    batch.forEach(
        record ->
            worked.computeIfAbsent(record.buffer(), ignored -> new ArrayList<>()).add(record));
    worked.forEach(PartitionBuffer::giveBackUndecided);
    inWork -= batch.size();
    notifyAll();
  }

  /** What can be committed to Kafka, of partitions that are still ours. */
  synchronized Map<TopicPartition, OffsetAndMetadata> progress() {
    settledSinceCommit = 0;
    Map<TopicPartition, OffsetAndMetadata> progress = new LinkedHashMap<>();
    buffers.forEach(
        (partition, buffer) -> {
          OffsetAndMetadata reached = buffer.progress();
          if (reached != null) {
            progress.put(partition, reached);
          }
        });
    return progress;
  }

  synchronized void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
    offsets.forEach(
        (partition, offset) -> {
          PartitionBuffer buffer = buffers.get(partition);
          if (buffer != null) {
            buffer.committed(offset);
          }
        });
  }

  /** Which of the assigned partitions shall not bring more for now. */
  synchronized Set<TopicPartition> toPause(Set<TopicPartition> assigned) {
    int waiting = buffers.values().stream().mapToInt(PartitionBuffer::waiting).sum();
    long bytes = buffers.values().stream().mapToLong(PartitionBuffer::waitingBytes).sum();
    full = waiting >= pollSize || bytes >= MOST_BYTES;
    if (closed || outage || full) {
      return assigned;
    }
    long now = System.nanoTime();
    Set<TopicPartition> paused = new HashSet<>();
    for (PartitionBuffer buffer : buffers.values()) {
      if (!buffer.startIsSettled() || !buffer.wantsMore(now)) {
        paused.add(buffer.partition());
      }
    }
    paused.retainAll(assigned);
    return paused;
  }

  /** Takes nothing more of these, and waits for what is in work of them. */
  synchronized boolean finish(Collection<TopicPartition> partitions, Duration limit)
      throws InterruptedException {
    List<PartitionBuffer> leaving =
        buffers.values().stream()
            .filter(buffer -> partitions.contains(buffer.partition()))
            .toList();
    leaving.forEach(PartitionBuffer::dropWaiting);
    long end = System.nanoTime() + limit.toNanos();
    while (!leaving.stream().allMatch(PartitionBuffer::isIdle)) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      wait(left / 1_000_000 + 1);
    }
    leaving.forEach(PartitionBuffer::dropWaiting); // a failed one may have come back
    return true;
  }

  /** Drops revoked partitions; their records in work will not be committed to Kafka. */
  synchronized void forget(Collection<TopicPartition> partitions) {
    partitions.forEach(buffers::remove);
  }

  synchronized void forgetAll() {
    buffers.clear();
  }

  /** Lets the worker end after its batch. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** How many records of the partition were polled and are not settled. */
  synchronized int unsettled(TopicPartition partition) {
    PartitionBuffer buffer = buffers.get(partition);
    return buffer == null ? 0 : buffer.waiting() + buffer.inWork();
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /** Called when the worker failed: the outcome of the records in work is unknown. */
  synchronized void nothingIsInWork() {
    inWork = 0;
    notifyAll();
  }

  synchronized boolean isWorking() {
    return inWork > 0;
  }
}
