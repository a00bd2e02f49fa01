package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.testkit.KafkaCluster;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/** A topic for one measurement, and how many records the broker has confirmed in it. */
final class Topic implements ConfirmedCount, AutoCloseable {
  private static final int PARTITIONS = 4;

  private final KafkaCluster kafka;
  private final String name = "bench-" + UUID.randomUUID();
  private final int partitions;

  Topic(KafkaCluster kafka) {
    this(kafka, PARTITIONS);
  }

  Topic(KafkaCluster kafka, int partitions) {
    this.kafka = kafka;
    this.partitions = partitions;
    kafka.createTopic(name, partitions);
  }

  String name() {
    return name;
  }

  String destination() {
    return "kafka:" + name;
  }

  @Override
  public long count() throws InterruptedException, ExecutionException {
    Map<TopicPartition, OffsetSpec> ends =
        IntStream.range(0, partitions)
            .boxed()
            .collect(Collectors.toMap(n -> new TopicPartition(name, n), n -> OffsetSpec.latest()));
    return kafka.admin().listOffsets(ends).all().get().values().stream()
        .mapToLong(ListOffsetsResultInfo::offset)
        .sum();
  }

  @Override
  public void close() {
    var unused = kafka.admin().deleteTopics(List.of(name));
  }
}
