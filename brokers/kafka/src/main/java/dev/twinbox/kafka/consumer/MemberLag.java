package dev.twinbox.kafka.consumer;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far a member is behind the ends of its partitions, noted once a second by the polling thread
 * and read by any.
 */
final class MemberLag {
  private static final Logger log = LoggerFactory.getLogger(MemberLag.class);
  private static final long INTERVAL_NANOS = Duration.ofSeconds(1).toNanos();

  /** A consumer that is not paused hears of the last stable offset within half a second. */
  private static final long HEARD_NANOS = Duration.ofSeconds(1).toNanos();

  private final String name;
  private final PolledRecords polled;
  private final HighWatermarks watermarks;
  private final Set<TopicPartition> told = new HashSet<>();
  private volatile Map<String, Long> lag = Map.of();
  private volatile Map<String, Long> withheld = Map.of();
  private long notedAt = System.nanoTime() - INTERVAL_NANOS;

  MemberLag(String name, PolledRecords polled, HighWatermarks watermarks) {
    this.name = name;
    this.polled = polled;
    this.watermarks = watermarks;
  }

  /** Nothing is waited for. */
  void note(KafkaConsumer<byte[], byte[]> consumer) {
    long now = System.nanoTime();
    if (now - notedAt < INTERVAL_NANOS) {
      return;
    }
    notedAt = now;
    Set<TopicPartition> assigned = consumer.assignment();
    Set<TopicPartition> paused = consumer.paused();
    watermarks.look(assigned);
    Map<String, Long> behind = new HashMap<>();
    Map<String, Long> behindTransactions = new HashMap<>();
    told.retainAll(assigned);
    for (TopicPartition partition : assigned) {
      OptionalLong readable = consumer.currentLag(partition);
      if (readable.isEmpty()) {
        continue;
      }
      long beyond = beyond(consumer, partition, readable.getAsLong(), now);
      behind.put(
          partition.toString(),
          readable.getAsLong() + Math.abs(beyond) + polled.unsettled(partition));
      if (beyond > 0 && !paused.contains(partition)) {
        behindTransactions.put(partition.toString(), beyond);
        tell(partition, beyond);
      } else if (beyond == 0) {
        told.remove(partition);
      }
    }
    lag = Map.copyOf(behind);
    withheld = Map.copyOf(behindTransactions);
  }

  /**
   * How many offsets lie between the last stable one and the end; negative where it is not certain
   * that a transaction withholds them, because they may have come a moment ago.
   */
  private long beyond(
      KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition, long readable, long now) {
    HighWatermarks.Seen end = watermarks.of(partition);
    if (end == null) {
      return 0;
    }
    try {
      long stable = consumer.position(partition, Duration.ZERO) + readable;
      long beyond = Math.max(0, end.offset() - stable);
      return now - end.at() >= HEARD_NANOS ? beyond : -beyond;
    } catch (TimeoutException e) {
      return 0;
    }
  }

  private void tell(TopicPartition partition, long records) {
    if (told.add(partition)) {
      log.warn("{}: {}: {}", name, partition, cause(records));
    }
  }

  /** Why messages that the broker holds are not delivered. */
  static String cause(long records) {
    return records
        + " offsets wait behind an open transaction of another producer, which holds the last"
        + " stable offset. It ends by that producer's transaction.timeout.ms at the latest; find it"
        + " by kafka-transactions.sh find-hanging";
  }

  Map<String, Long> lag() {
    return lag;
  }

  Map<String, Long> withheld() {
    return withheld;
  }

  /** The member holds nothing any more. */
  void forget() {
    lag = Map.of();
    withheld = Map.of();
  }
}
