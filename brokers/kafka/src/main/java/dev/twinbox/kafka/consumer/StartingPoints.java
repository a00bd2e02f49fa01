package dev.twinbox.kafka.consumer;

import dev.twinbox.kafka.doctor.CommittedTopic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides from where an assigned partition is read: from the group's offset, unless that counts in
 * a former topic of the name; then from the beginning. For the polling thread.
 */
final class StartingPoints {
  private static final Logger log = LoggerFactory.getLogger(StartingPoints.class);
  private static final Duration LIMIT = Duration.ofSeconds(2);

  private final String name;
  private final PolledRecords polled;
  private final TopicIds ids;
  private final Set<String> replaced = new HashSet<>();

  StartingPoints(String name, PolledRecords polled, TopicIds ids) {
    this.name = name;
    this.polled = polled;
    this.ids = ids;
  }

  /** What a client has fetched and knows of a topic is of a former one. */
  static final class TopicReplacedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TopicReplacedException(String topic) {
      super("Topic '" + topic + "' was deleted and made again");
    }
  }

  /**
   * Lets partitions be read whose offsets are known to count in the topics that are there.
   *
   * @throws TopicReplacedException when a topic that is read was replaced. The client has to be
   *     replaced as well: it may hold records of the former topic, which no position tells apart
   */
  void settle(KafkaConsumer<byte[], byte[]> consumer) {
    ids.look();
    for (String topic : polled.topics()) {
      CommittedTopic current = ids.of(topic);
      if (current != null && polled.isReplaced(topic, current)) {
        polled.forgetTopic(topic);
        replaced.add(topic);
        throw new TopicReplacedException(topic);
      }
    }
    Set<TopicPartition> open = new HashSet<>();
    for (TopicPartition partition : polled.unsettledStarts()) {
      if (ids.of(partition.topic()) != null || ids.isUnknowable(partition.topic())) {
        open.add(partition);
      }
    }
    open.retainAll(consumer.assignment());
    if (!open.isEmpty()) {
      try {
        settle(consumer, open);
      } catch (RetriableException e) {
        log.debug("{}: the offsets of {} are asked for again", name, open, e);
      }
    }
  }

  private void settle(KafkaConsumer<byte[], byte[]> consumer, Set<TopicPartition> open) {
    Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(open, LIMIT);
    List<TopicPartition> anew = new ArrayList<>();
    for (TopicPartition partition : open) {
      @Nullable OffsetAndMetadata offset = committed.get(partition);
      @Nullable CommittedTopic current = ids.of(partition.topic());
      if (current == null) {
        polled.startsAt(partition, null, null);
      } else if (offset == null) {
        // Kafka deletes offsets with their topic. Of what we have seen come, nothing is skipped.
        if (replaced.contains(partition.topic())) {
          anew.add(partition);
        } else {
          polled.startsAt(partition, current, null);
        }
      } else if (CommittedTopic.parse(offset.metadata())
          .filter(topic -> topic.isReplacedBy(current))
          .isPresent()) {
        anew.add(partition);
      } else {
        // With the topic's id, also where nothing is consumed for now.
        boolean says = offset.metadata().equals(current.metadata());
        polled.startsAt(
            partition,
            current,
            says
                ? null
                : new OffsetAndMetadata(offset.offset(), offset.leaderEpoch(), current.metadata()));
      }
    }
    if (!anew.isEmpty()) {
      fromTheBeginning(consumer, anew, committed);
    }
  }

  private void fromTheBeginning(
      KafkaConsumer<byte[], byte[]> consumer,
      List<TopicPartition> partitions,
      Map<TopicPartition, OffsetAndMetadata> committed) {
    Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(partitions, LIMIT);
    for (TopicPartition partition : partitions) {
      CommittedTopic current = ids.of(partition.topic());
      Long beginning = beginnings.get(partition);
      if (current != null && beginning != null) {
        log.warn(
            "{}: {} is read from its beginning, {}: the topic was deleted and made again, and the"
                + " group's offset {} is not one of the new topic",
            name,
            partition,
            beginning,
            committed.get(partition));
        consumer.seek(partition, beginning);
        polled.startsAt(partition, current, new OffsetAndMetadata(beginning, current.metadata()));
      }
    }
  }
}
