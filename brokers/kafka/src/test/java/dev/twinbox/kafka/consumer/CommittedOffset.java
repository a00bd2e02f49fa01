package dev.twinbox.kafka.consumer;

import dev.twinbox.testkit.TestKafkaProcesses;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.TopicPartition;

/** How far a group has come, as Kafka sees it. */
final class CommittedOffset {
  private CommittedOffset() {}

  /** Of a group in the only partition of the topic of the same name; -1 when there is none. */
  static long of(TestKafkaProcesses kafka, String group)
      throws InterruptedException, ExecutionException, TimeoutException {
    var offset =
        kafka
            .admin()
            .listConsumerGroupOffsets(group)
            .partitionsToOffsetAndMetadata()
            .get(10, TimeUnit.SECONDS)
            .get(new TopicPartition(group, 0));
    return offset == null ? -1 : offset.offset();
  }
}
