package dev.twinbox.kafka.doctor;

import dev.twinbox.broker.doctor.Durations;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.kafka.doctor.KafkaExamination.UnreadableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** What a group's offsets say of messages that it has missed, or may miss. */
final class GroupRules {
  private final Admin admin;
  private final String subject;
  private final String broker;
  private final String group;
  private final Duration horizon;
  private final List<Finding> findings = new ArrayList<>();

  GroupRules(Admin admin, String broker, String group, Duration horizon) {
    this.admin = admin;
    this.broker = broker;
    this.group = group;
    this.horizon = horizon;
    subject = "group %s of %s".formatted(group, broker);
  }

  /** What is kept for longer than ids are remembered may be refused when it is read. */
  void topic(String topic, @Nullable String retentionMillis) {
    long millis = retentionMillis == null ? 0 : Long.parseLong(retentionMillis);
    if (millis < 0 || millis > horizon.toMillis()) {
      findings.add(
          Finding.warning(
              KafkaCheck.RETENTION_BEYOND_HORIZON,
              broker + ":" + topic,
              "retention.ms=%s; the inbox remembers ids for %s"
                  .formatted(millis, Durations.text(horizon)),
              "Lower retention.ms, or raise the horizon: inbox.upkeep().keepFor(...)."));
    }
  }

  List<Finding> judge(Collection<String> topics, @Nullable String offsetsRetentionMinutes)
      throws UnreadableException {
    Map<TopicPartition, OffsetAndMetadata> committed =
        KafkaExamination.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
            .entrySet()
            .stream()
            .filter(e -> topics.contains(e.getKey().topic()) && e.getValue() != null)
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    Map<TopicPartition, ListOffsetsResultInfo> first = offsets(committed, OffsetSpec.earliest());
    Map<TopicPartition, ListOffsetsResultInfo> end = offsets(committed, OffsetSpec.latest());
    for (Map.Entry<TopicPartition, OffsetAndMetadata> each : committed.entrySet()) {
      CommittedTopic read = CommittedTopic.parse(each.getValue().metadata()).orElse(null);
      if (read != null && isFormer(read, each.getKey().topic())) {
        findings.add(
            Finding.warning(
                KafkaCheck.OFFSET_OF_FORMER_TOPIC,
                subject,
                "%s: offset %s is of a former topic of this name, with the id %s"
                    .formatted(each.getKey(), each.getValue().offset(), read.id()),
                "None is needed: Twinbox's consumers read the new topic from its beginning."));
      } else {
        judge(each.getKey(), each.getValue().offset(), first, end);
      }
    }
    retention(offsetsRetentionMinutes);
    if (findings.isEmpty()) {
      findings.add(
          Finding.ok(
              subject,
              committed.isEmpty() ? "no offsets yet" : "all offsets are within their topics"));
    }
    return findings;
  }

  private boolean isFormer(CommittedTopic read, String topic) throws UnreadableException {
    Uuid id =
        KafkaExamination.get(admin.describeTopics(List.of(topic)).topicNameValues().get(topic))
            .topicId();
    String cluster = KafkaExamination.get(admin.describeCluster().clusterId());
    return read.isReplacedBy(new CommittedTopic(cluster == null ? "" : cluster, id));
  }

  private void judge(
      TopicPartition partition,
      long offset,
      Map<TopicPartition, ListOffsetsResultInfo> first,
      Map<TopicPartition, ListOffsetsResultInfo> end) {
    ListOffsetsResultInfo from = first.get(partition);
    ListOffsetsResultInfo to = end.get(partition);
    if (from != null && offset < from.offset()) {
      findings.add(
          Finding.danger(
              KafkaCheck.OFFSET_EXPIRED,
              subject,
              "%s: offset %s, but the topic begins at %s: up to %s messages were deleted unread"
                  .formatted(partition, offset, from.offset(), from.offset() - offset),
              "Send them again from their source; raise retention.ms; then kafka-consumer-groups.sh"
                  + " --reset-offsets --to-earliest."));
    } else if (to != null && offset > to.offset()) {
      findings.add(
          Finding.danger(
              KafkaCheck.OFFSET_BEYOND_END,
              subject,
              "%s: offset %s, but the topic ends at %s".formatted(partition, offset, to.offset()),
              "Stop the group and let it read from the beginning: kafka-consumer-groups.sh"
                  + " --reset-offsets --to-earliest; the inbox recognises what it has."));
    }
  }

  private void retention(@Nullable String offsetsRetentionMinutes) {
    if (offsetsRetentionMinutes == null) {
      return;
    }
    Duration kept = Duration.ofMinutes(Long.parseLong(offsetsRetentionMinutes));
    if (kept.compareTo(horizon) < 0) {
      findings.add(
          Finding.warning(
              KafkaCheck.OFFSETS_RETENTION,
              subject,
              "offsets.retention.minutes=%s (%s)"
                  .formatted(offsetsRetentionMinutes, Durations.text(kept)),
              "Set offsets.retention.minutes=%s or more on all brokers."
                  .formatted(horizon.toMinutes())));
    }
  }

  private Map<TopicPartition, ListOffsetsResultInfo> offsets(
      Map<TopicPartition, OffsetAndMetadata> committed, OffsetSpec which)
      throws UnreadableException {
    return KafkaExamination.get(
        admin
            .listOffsets(committed.keySet().stream().collect(Collectors.toMap(p -> p, p -> which)))
            .all());
  }
}
