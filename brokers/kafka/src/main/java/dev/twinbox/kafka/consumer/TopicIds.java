package dev.twinbox.kafka.consumer;

import dev.twinbox.kafka.doctor.CommittedTopic;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ids of a consumer's topics, asked for once a second. Records and positions name a topic only
 * by its name, which a topic that is deleted and made again keeps. Never waits. Thread-safe.
 */
final class TopicIds {
  private static final Logger log = LoggerFactory.getLogger(TopicIds.class);
  private static final long INTERVAL_NANOS = Duration.ofSeconds(1).toNanos();

  /** The client's own limits are far shorter: then it is broken. */
  private static final long ANSWER_LIMIT_NANOS = Duration.ofSeconds(30).toNanos();

  /** For so long nothing is read where ids are not told; then it is read without. */
  private static final long PATIENCE_NANOS = Duration.ofSeconds(30).toNanos();

  private static final int MOST_FORMER = 1_000;

  private final ClusterClient client;
  private final List<String> topics;
  private final Map<String, CommittedTopic> known = new HashMap<>();
  private final Set<String> unknowable = new HashSet<>();
  private final Set<Uuid> former =
      Collections.newSetFromMap(
          new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Uuid, Boolean> eldest) {
              return size() > MOST_FORMER;
            }
          });
  private @Nullable Look look;
  private long lookedAt = System.nanoTime() - INTERVAL_NANOS;
  private final Map<String, Long> failingSince = new HashMap<>();

  private record Look(
      KafkaFuture<String> cluster, Map<String, KafkaFuture<TopicDescription>> topics) {
    boolean isDone() {
      return cluster.isDone() && topics.values().stream().allMatch(KafkaFuture::isDone);
    }
  }

  TopicIds(ClusterClient client, Collection<String> topics) {
    this.client = client;
    this.topics = List.copyOf(topics);
  }

  /** Takes what has been answered, and asks again when it is time. */
  synchronized void look() {
    long now = System.nanoTime();
    Look asked = look;
    if (asked != null && asked.isDone()) {
      look = null;
      lookedAt = now;
      asked.topics().forEach((topic, answer) -> take(topic, asked.cluster(), answer));
    } else if (asked != null && now - lookedAt > ANSWER_LIMIT_NANOS) {
      look = null;
      client.replace();
      failed(new IllegalStateException("The admin client gives no answer"));
    } else if (asked == null && now - lookedAt >= INTERVAL_NANOS) {
      lookedAt = now;
      ask();
    }
  }

  /** The topic of this name as it was last seen, or null when it was not seen yet. */
  synchronized @Nullable CommittedTopic of(String topic) {
    return known.get(topic);
  }

  /** Whether an id is not to be had, so that the topic is read without. */
  synchronized boolean isUnknowable(String topic) {
    return unknowable.contains(topic);
  }

  private void ask() {
    try {
      Admin admin = client.get();
      look =
          new Look(
              admin.describeCluster().clusterId(), admin.describeTopics(topics).topicNameValues());
    } catch (RuntimeException | Error e) { // such as a lack of threads
      failed(e);
    }
  }

  private void failed(Throwable error) {
    topics.forEach(topic -> failed(topic, error));
  }

  private void take(
      String topic, KafkaFuture<String> cluster, KafkaFuture<TopicDescription> answer) {
    try {
      Uuid id = answer.get().topicId();
      if (id.equals(Uuid.ZERO_UUID)) {
        unknowable(topic, "the brokers give topics no ids");
      } else {
        String clusterId = cluster.get();
        seen(topic, new CommittedTopic(clusterId == null ? "" : clusterId, id));
      }
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof AuthorizationException || cause instanceof UnsupportedVersionException) {
        unknowable(topic, cause.toString());
      } else if (!(cause instanceof UnknownTopicOrPartitionException)) {
        failed(topic, cause == null ? e : cause);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // not waited for: both are done
    } catch (RuntimeException e) {
      failed(topic, e);
    }
  }

  private void seen(String topic, CommittedTopic now) {
    failingSince.remove(topic);
    if (former.contains(now.id())) {
      return; // from a broker that is behind
    }
    if (unknowable.remove(topic)) {
      log.info("The id of topic '{}' is known now", topic);
    }
    CommittedTopic before = known.put(topic, now);
    if (before != null && !before.id().equals(now.id())) {
      former.add(before.id());
    }
  }

  private void failed(String topic, Throwable error) {
    long now = System.nanoTime();
    long since = failingSince.computeIfAbsent(topic, ignored -> now);
    if (!known.containsKey(topic) && now - since > PATIENCE_NANOS) {
      unknowable(topic, error.toString());
    }
  }

  private void unknowable(String topic, String reason) {
    if (unknowable.add(topic)) {
      log.warn(
          "The id of topic '{}' is not to be had ({}). If the topic is deleted and made again while"
              + " it is read, records of the new one can be skipped: grant DESCRIBE on it, or stop"
              + " the consumers and delete the group's offsets when you make it anew",
          topic,
          reason);
    }
  }
}
