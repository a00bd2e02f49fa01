package dev.twinbox.kafka.publisher;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TopicExistsException;

/**
 * Creates topics, for development and demonstrations; in production they belong to whoever runs the
 * cluster. A topic that exists is left as it is.
 *
 * @param partitions how many partitions each topic gets
 * @param replicas how many brokers keep each of them
 * @param minInSyncReplicas how many of these must have a message before it counts as published
 */
public record KafkaTopology(int partitions, int replicas, int minInSyncReplicas) {
  /** Refuses numbers that no cluster could work with. */
  public KafkaTopology {
    if (partitions < 1 || minInSyncReplicas < 1 || minInSyncReplicas > replicas) {
      throw new IllegalArgumentException(
          "Topics need at least 1 partition and 1 to all of their replicas in sync, not partitions=%s, replicas=%s, minInSyncReplicas=%s."
              .formatted(partitions, replicas, minInSyncReplicas));
    }
  }

  /** One broker on a developer's machine: a topic there survives no disk failure. */
  public static KafkaTopology forDevelopment(int partitions) {
    return new KafkaTopology(partitions, 1, 1);
  }

  /**
   * Creates topics.
   *
   * @param settings of Kafka's admin client: {@code bootstrap.servers} and what else it needs
   * @throws KafkaException if the cluster refuses or does not answer
   */
  public void create(Map<String, ?> settings, Collection<String> topics) {
    try (Admin admin = Admin.create(Map.copyOf(settings))) {
      for (String topic : topics) {
        create(admin, topic);
      }
    }
  }

  private void create(Admin admin, String topic) {
    NewTopic wanted =
        new NewTopic(topic, partitions, (short) replicas)
            .configs(Map.of("min.insync.replicas", Integer.toString(minInSyncReplicas)));
    try {
      admin.createTopics(List.of(wanted)).all().get();
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw new KafkaException("Topic " + topic + " was not created", e.getCause());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("Interrupted while topic " + topic + " was being created", e);
    }
  }
}
