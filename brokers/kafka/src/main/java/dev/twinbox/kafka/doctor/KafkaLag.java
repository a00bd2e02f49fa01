package dev.twinbox.kafka.doctor;

import dev.twinbox.broker.SourceLag;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;

/** Compares a consumer group's offsets with the ends of its topics. */
public final class KafkaLag {
  private static final int LIMIT_MILLIS = 5_000;

  private KafkaLag() {}

  /**
   * Waits for at most 5 seconds for each answer; what cannot be read is said in place of the lag.
   *
   * @param broker its name, as in {@code kafka@billing}
   * @param client its settings, credentials included
   */
  public static List<SourceLag> read(
      String broker, Map<String, ?> client, String group, List<String> topics) {
    Map<String, Object> settings = new HashMap<>(client);
    settings.keySet().retainAll(AdminClientConfig.configNames());
    settings.remove(AdminClientConfig.METRIC_REPORTER_CLASSES_CONFIG);
    settings.put(AdminClientConfig.CLIENT_ID_CONFIG, "twinbox-status");
    settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, LIMIT_MILLIS);
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, LIMIT_MILLIS);
    String consumer = broker + ":" + group;
    List<SourceLag> lags = new ArrayList<>();
    try (Admin admin = Admin.create(settings)) {
      for (String topic : topics) {
        lags.add(read(admin, consumer, group, topic));
      }
    } catch (KafkaException e) {
      topics.forEach(
          topic -> lags.add(SourceLag.unreadable(consumer, topic, ClientRefusal.reason(e))));
    }
    return lags;
  }

  private static SourceLag read(Admin admin, String consumer, String group, String topic) {
    try {
      List<TopicPartition> partitions =
          admin.describeTopics(List.of(topic)).allTopicNames().get().values().stream()
              .flatMap(description -> description.partitions().stream())
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      Map<TopicPartition, OffsetAndMetadata> committed =
          admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
      Map<TopicPartition, Long> stable =
          offsets(admin, partitions, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED);
      Map<TopicPartition, Long> ends =
          offsets(admin, partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
      Map<TopicPartition, Long> beginnings =
          offsets(admin, partitions, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED);
      List<SourceLag.Partition> lines = new ArrayList<>();
      for (TopicPartition partition : partitions) {
        OffsetAndMetadata offset = committed.get(partition);
        long end = ends.getOrDefault(partition, 0L);
        long beginning = beginnings.getOrDefault(partition, 0L);
        // What retention has deleted cannot be consumed any more.
        long from = offset == null ? beginning : Math.max(offset.offset(), beginning);
        lines.add(
            new SourceLag.Partition(
                partition.partition(),
                offset == null ? null : offset.offset(),
                end,
                Math.max(0, end - from),
                Math.max(0, end - Math.max(from, stable.getOrDefault(partition, end)))));
      }
      return new SourceLag(
          consumer,
          topic,
          lines.stream().mapToLong(SourceLag.Partition::lag).sum(),
          members(admin, group),
          lines,
          null);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      return SourceLag.unreadable(consumer, topic, cause == null ? e : cause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return SourceLag.unreadable(consumer, topic, "interrupted");
    }
  }

  /** A group that nobody has joined for long is forgotten by the broker. */
  private static int members(Admin admin, String group)
      throws InterruptedException, ExecutionException {
    try {
      return admin.describeConsumerGroups(List.of(group)).all().get().values().stream()
          .mapToInt(description -> description.members().size())
          .sum();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof GroupIdNotFoundException) {
        return 0;
      }
      throw e;
    }
  }

  private static Map<TopicPartition, Long> offsets(
      Admin admin, List<TopicPartition> partitions, OffsetSpec which, IsolationLevel isolation)
      throws InterruptedException, ExecutionException {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    admin
        .listOffsets(
            partitions.stream().collect(Collectors.toMap(Function.identity(), any -> which)),
            new ListOffsetsOptions(isolation))
        .all()
        .get()
        .forEach((partition, found) -> offsets.put(partition, found.offset()));
    return offsets;
  }
}
