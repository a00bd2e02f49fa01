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
 * The border between the polling thread and the worker: what was polled and waits, what is in work,
 * and how far each partition has come. Thread-safe.
 */
final class InHand {
  private static final Logger log = LoggerFactory.getLogger(InHand.class);
  private static final int SMALLEST_POLL = 100;
  private static final long MOST_BYTES = 32L * 1024 * 1024;

  // How far records may get ahead of one that failed, in batches.
  private static final int FURTHEST_AHEAD = 4;

  private final int batchSize;
  private final int pollSize;
  private final boolean mayOvertake;
  private final Map<TopicPartition, PartitionHand> hands = new LinkedHashMap<>();
  private boolean closed;
  private int inWork;
  private boolean outage;
  private long outageUntil;
  private int settledSinceCommit;
  private boolean full;

  InHand(int batchSize, boolean mayOvertake) {
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

  private PartitionHand hand(TopicPartition partition) {
    return mayOvertake
        ? new OvertakingHand(partition, FURTHEST_AHEAD * batchSize)
        : new PartitionHand(partition);
  }

  synchronized void assigned(Collection<TopicPartition> partitions) {
    partitions.forEach(partition -> hands.put(partition, hand(partition)));
  }

  /** The topics of which something is in hand. */
  synchronized Set<String> topics() {
    return hands.keySet().stream().map(TopicPartition::topic).collect(Collectors.toSet());
  }

  /** Assigned partitions of which it is not decided yet from where they are read. */
  synchronized Set<TopicPartition> unsettledStarts() {
    return hands.values().stream()
        .filter(hand -> !hand.startIsSettled())
        .map(PartitionHand::partition)
        .collect(Collectors.toSet());
  }

  /**
   * Decides it.
   *
   * @param topic in which the offsets count, or null when that is not known
   * @param toCommit an offset to commit before anything is handled, or null
   */
  synchronized void startsAt(
      TopicPartition partition,
      @Nullable CommittedTopic topic,
      @Nullable OffsetAndMetadata toCommit) {
    PartitionHand hand = hands.get(partition);
    if (hand != null) {
      hand.startsAt(topic, toCommit);
    }
  }

  /** Whether what is in hand is of a former topic of this name; notes one that was not known. */
  synchronized boolean isReplaced(String topic, CommittedTopic current) {
    boolean replaced = false;
    for (PartitionHand hand : hands.values()) {
      if (hand.partition().topic().equals(topic) && hand.startIsSettled()) {
        CommittedTopic read = hand.topic();
        if (read == null) {
          hand.startsAt(current, null);
        } else {
          replaced |= read.isReplacedBy(current);
        }
      }
    }
    return replaced;
  }

  /** Nothing of it is handled or committed any more. */
  synchronized void forgetTopic(String topic) {
    hands.keySet().removeIf(partition -> partition.topic().equals(topic));
  }

  synchronized void add(TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
    PartitionHand hand = hands.computeIfAbsent(partition, this::hand);
    if (!records.isEmpty() && records.get(0).offset() < hand.next()) {
      log.warn(
          "{} went back from offset {} to {}: its log was cut off, by an unclean election or with"
              + " its topic. It is read, and its offsets are committed, from there on",
          partition,
          hand.next(),
          records.get(0).offset());
      hand.logWentBack();
    }
    for (ConsumerRecord<byte[], byte[]> record : records) {
      // A batch is in work and a poll's worth may be committed in the database but not yet in
      // Kafka:
      // so many records after an assignment may have been in the hands of a process that died, and
      // where records overtake a failed one, what had got ahead of it.
      int ahead = mayOvertake ? FURTHEST_AHEAD * batchSize : 0;
      boolean maybeAgain = hand.records() < 2 * pollSize + ahead;
      hand.add(
          new Taken(
              hand,
              record.offset(),
              record.leaderEpoch(),
              KafkaWire.delivery(record, maybeAgain),
              false,
              hand.log()));
    }
    notifyAll();
  }

  /** The worker's next batch; waits for one. Empty when it is time to end. */
  synchronized List<Taken> take() throws InterruptedException {
    while (!closed) {
      long now = System.nanoTime();
      long pause = outage ? outageUntil - now : 0;
      if (pause <= 0) {
        List<Taken> batch = nextBatch(now);
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
  synchronized List<Taken> takeNext() {
    List<Taken> batch = closed || outage ? List.of() : nextBatch(System.nanoTime());
    inWork += batch.size();
    return batch;
  }

  /** Records that failed go alone: with them the whole batch would run one by one. */
  private List<Taken> nextBatch(long now) {
    List<Taken> batch = new ArrayList<>();
    boolean retries = hands.values().stream().anyMatch(hand -> hand.hasDueRetry(now));
    for (PartitionHand hand : List.copyOf(hands.values())) {
      if (batch.size() < batchSize && !hand.isHeld(now)) {
        int before = batch.size();
        hand.takeInto(batch, batchSize, retries, now);
        if (batch.size() > before) {
          // Who was served goes to the end of the line.
          hands.remove(hand.partition());
          hands.put(hand.partition(), hand);
        }
      }
    }
    return batch;
  }

  private boolean anyHeld() {
    return hands.values().stream().anyMatch(PartitionHand::isRetrying);
  }

  synchronized void settle(List<Taken> batch, List<Receipt> receipts) {
    Map<PartitionHand, List<Taken>> worked = new LinkedHashMap<>();
    Map<PartitionHand, List<Receipt>> outcomes = new LinkedHashMap<>();
    for (int i = 0; i < batch.size(); i++) {
      PartitionHand hand = batch.get(i).hand();
      worked.computeIfAbsent(hand, ignored -> new ArrayList<>()).add(batch.get(i));
      outcomes.computeIfAbsent(hand, ignored -> new ArrayList<>()).add(receipts.get(i));
    }
    long now = System.nanoTime();
    worked.forEach(
        (hand, taken) -> hand.settle(taken, outcomes.getOrDefault(hand, List.of()), now));
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
    int waiting = hands.values().stream().mapToInt(PartitionHand::waiting).sum();
    return closed
        || outage
        || settledSinceCommit >= pollSize
        || waiting == 0
        || (full && waiting <= pollSize / 2)
        || anyHeld();
  }

  /** Nothing was decided about the batch: everything waits. */
  synchronized void putBack(List<Taken> batch, Duration pause) {
    outage = true;
    outageUntil = System.nanoTime() + pause.toNanos();
    giveBack(batch);
  }

  /** These were taken and not begun, and come first again. */
  synchronized void giveBack(List<Taken> batch) {
    Map<PartitionHand, List<Taken>> worked = new LinkedHashMap<>();
    batch.forEach(
        taken -> worked.computeIfAbsent(taken.hand(), ignored -> new ArrayList<>()).add(taken));
    worked.forEach(PartitionHand::giveBackUndecided);
    inWork -= batch.size();
    notifyAll();
  }

  /** What can be committed to Kafka, of partitions that are still ours. */
  synchronized Map<TopicPartition, OffsetAndMetadata> progress() {
    settledSinceCommit = 0;
    Map<TopicPartition, OffsetAndMetadata> progress = new LinkedHashMap<>();
    hands.forEach(
        (partition, hand) -> {
          OffsetAndMetadata reached = hand.progress();
          if (reached != null) {
            progress.put(partition, reached);
          }
        });
    return progress;
  }

  synchronized void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
    offsets.forEach(
        (partition, offset) -> {
          PartitionHand hand = hands.get(partition);
          if (hand != null) {
            hand.committed(offset);
          }
        });
  }

  /** Which of the assigned partitions shall not bring more for now. */
  synchronized Set<TopicPartition> toPause(Set<TopicPartition> assigned) {
    int waiting = hands.values().stream().mapToInt(PartitionHand::waiting).sum();
    long bytes = hands.values().stream().mapToLong(PartitionHand::waitingBytes).sum();
    full = waiting >= pollSize || bytes >= MOST_BYTES;
    if (closed || outage || full) {
      return assigned;
    }
    long now = System.nanoTime();
    Set<TopicPartition> paused = new HashSet<>();
    for (PartitionHand hand : hands.values()) {
      if (!hand.startIsSettled() || !hand.wantsMore(now)) {
        paused.add(hand.partition());
      }
    }
    paused.retainAll(assigned);
    return paused;
  }

  /** Takes nothing more of these, and waits for what is in work of them. */
  synchronized boolean finish(Collection<TopicPartition> partitions, Duration limit)
      throws InterruptedException {
    List<PartitionHand> leaving =
        hands.values().stream().filter(hand -> partitions.contains(hand.partition())).toList();
    leaving.forEach(PartitionHand::dropWaiting);
    long end = System.nanoTime() + limit.toNanos();
    while (!leaving.stream().allMatch(PartitionHand::isIdle)) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      wait(left / 1_000_000 + 1);
    }
    leaving.forEach(PartitionHand::dropWaiting); // a failed one may have come back
    return true;
  }

  /** These are not ours any more; what is in work of them will not be committed to Kafka. */
  synchronized void forget(Collection<TopicPartition> partitions) {
    partitions.forEach(hands::remove);
  }

  synchronized void forgetAll() {
    hands.clear();
  }

  /** Lets the worker end after its batch. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** How many records of the partition were polled and are not settled. */
  synchronized int unsettled(TopicPartition partition) {
    PartitionHand hand = hands.get(partition);
    return hand == null ? 0 : hand.waiting() + hand.inWork();
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /** The worker has nothing any more and does not know what became of what it had. */
  synchronized void nothingIsInWork() {
    inWork = 0;
    notifyAll();
  }

  synchronized boolean isWorking() {
    return inWork > 0;
  }
}
