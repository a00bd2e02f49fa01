package dev.twinbox.kafka.consumer;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far partitions go with what is in open transactions: a client that reads committed records
 * only knows of what lies before them. Never waits. For the polling thread.
 */
final class HighWatermarks {
  private static final Logger log = LoggerFactory.getLogger(HighWatermarks.class);
  private static final long INTERVAL_NANOS = Duration.ofSeconds(2).toNanos();
  private static final long ANSWER_LIMIT_NANOS = Duration.ofSeconds(30).toNanos();

  private final ClusterClient client;
  private final Map<TopicPartition, Seen> seen = new HashMap<>();
  private Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> asked = Map.of();
  private long askedAt = System.nanoTime() - INTERVAL_NANOS;

  /**
   * @param offset the end of the partition
   * @param at the {@link System#nanoTime()} before which it was so
   */
  record Seen(long offset, long at) {}

  HighWatermarks(ClusterClient client) {
    this.client = client;
  }

  /** Takes what has been answered, and asks again when it is time. */
  void look(Collection<TopicPartition> partitions) {
    long now = System.nanoTime();
    boolean late = now - askedAt > ANSWER_LIMIT_NANOS;
    if (!late && !asked.values().stream().allMatch(KafkaFuture::isDone)) {
      return;
    }
    asked.forEach((partition, answer) -> take(partition, answer, now));
    asked = Map.of();
    seen.keySet().retainAll(partitions);
    if (now - askedAt >= INTERVAL_NANOS && !partitions.isEmpty()) {
      askedAt = now;
      ask(partitions);
    }
  }

  /** What was last seen of it, or null. */
  @Nullable Seen of(TopicPartition partition) {
    return seen.get(partition);
  }

  private void ask(Collection<TopicPartition> partitions) {
    try {
      Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
      partitions.forEach(partition -> ends.put(partition, OffsetSpec.latest()));
      ListOffsetsResult result =
          client.get().listOffsets(ends, new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED));
      Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> answers = new HashMap<>();
      partitions.forEach(partition -> answers.put(partition, result.partitionResult(partition)));
      asked = answers;
    } catch (RuntimeException | Error e) { // the lag is shown without what is in transactions
      log.debug("The ends of {} were not asked for", partitions, e);
    }
  }

  private void take(TopicPartition partition, KafkaFuture<ListOffsetsResultInfo> answer, long now) {
    seen.remove(partition);
    if (!answer.isDone()) {
      return;
    }
    try {
      seen.put(partition, new Seen(answer.get().offset(), now));
    } catch (ExecutionException e) {
      log.debug("The end of {} is unknown", partition, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // not waited for: it is done
    }
  }
}
