package dev.twinbox.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * A Kafka cluster on localhost, in KRaft mode, with what tests ask of it.
 *
 * <p>Topics are not created unasked. A broker that is gone is noticed after 4 seconds. Safe for use
 * by several threads.
 */
public abstract sealed class KafkaCluster implements AutoCloseable
    permits TestKafka, TestKafkaProcesses {
  static final Duration START_LIMIT = Duration.ofMinutes(5);

  private final Path folder = ExitCleanup.temporaryFolder("kafka");
  private final List<KafkaNode> nodes;
  private final List<KafkaNode> brokers;
  private @Nullable Admin admin;

  KafkaCluster(int brokers, Map<String, String> settings, List<String> entrances) {
    nodes = KafkaNode.plan(folder, brokers, settings, entrances);
    this.brokers = nodes.stream().filter(KafkaNode::isBroker).toList();
  }

  /** Starts broker {@code i}, counted from 0, on what it kept, and waits until it serves. */
  public abstract void startBroker(int i);

  /** Stops broker {@code i}, counted from 0, in good order, if it runs. */
  public abstract void stopBroker(int i);

  /** Number of brokers, running or not. */
  public final int size() {
    return brokers.size();
  }

  /** The addresses of all brokers, for {@code bootstrap.servers}. */
  public final String bootstrapServers() {
    return brokers.stream().map(KafkaNode::address).collect(Collectors.joining(","));
  }

  /** The port of broker {@code i} on 127.0.0.1; it stays the same over restarts. */
  public final int port(int i) {
    return brokers.get(i).port();
  }

  /** An administration client of this cluster, closed with it. */
  public final synchronized Admin admin() {
    Admin present = admin;
    if (present == null) {
      present = Admin.create(Map.of("bootstrap.servers", bootstrapServers()));
      admin = present;
    }
    return present;
  }

  /** Creates a topic without replicas. */
  public final void createTopic(String name, int partitions) {
    createTopic(name, partitions, 1, Map.of());
  }

  /** Creates a topic and waits until each of its partitions has a leader. */
  public final void createTopic(
      String name, int partitions, int replicas, Map<String, String> settings) {
    NewTopic topic = new NewTopic(name, partitions, (short) replicas).configs(settings);
    try {
      admin().createTopics(List.of(topic)).all().get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("Topic " + name + " was not created", e.getCause());
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
    Commands.await("Finding leaders for " + name, START_LIMIT, () -> hasLeaders(name, partitions));
  }

  /**
   * Everything that a topic holds now, transactions aside: per partition in order of offset.
   * Several partitions follow each other in no particular order.
   */
  public final List<ConsumerRecord<byte[], byte[]>> records(String topic) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrapServers());
    settings.put("auto.offset.reset", "none");
    settings.put("enable.auto.commit", false);
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
        consumer.poll(Duration.ofMillis(100)).forEach(records::add);
      }
    }
    return records;
  }

  /** Ends every node and removes what they kept. */
  @Override
  public synchronized void close() {
    Admin present = admin;
    if (present != null) {
      present.close(Duration.ZERO);
      admin = null;
    }
    end();
    brokers.forEach(broker -> broker.entrances().forEach(entrance -> entrance.proxy().close()));
    ExitCleanup.delete(folder);
  }

  @Override
  public String toString() {
    return "Kafka at " + bootstrapServers();
  }

  abstract void end();

  final List<KafkaNode> nodes() {
    return nodes;
  }

  final KafkaNode broker(int i) {
    return brokers.get(i);
  }

  static boolean accepts(KafkaNode node) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), node.port())) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether the cluster counts the broker among its living, asked at the broker itself. */
  static boolean serves(KafkaNode node) {
    if (!accepts(node)) {
      return false;
    }
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            node.address(),
            "default.api.timeout.ms",
            2000,
            "request.timeout.ms",
            2000);
    try (Admin asking = Admin.create(settings)) {
      return asking.describeCluster().nodes().get().stream().anyMatch(n -> n.id() == node.id());
    } catch (ExecutionException e) {
      return false;
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private boolean hasLeaders(String name, int partitions) {
    try {
      var described = admin().describeTopics(List.of(name)).allTopicNames().get().get(name);
      return described != null
          && described.partitions().size() == partitions
          && described.partitions().stream()
              .allMatch(p -> p.leader() != null && !p.leader().isEmpty());
    } catch (ExecutionException e) {
      return false;
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("Interrupted", e);
  }
}
