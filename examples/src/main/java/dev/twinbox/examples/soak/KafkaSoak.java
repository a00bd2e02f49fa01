package dev.twinbox.examples.soak;

import dev.twinbox.examples.common.KafkaReading;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.kafka.consumer.KafkaInboxConsumer;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestKafkaProcesses;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Three Kafka brokers, two of which have a message before it counts as published. */
final class KafkaSoak implements SoakBroker {
  private static final String TOPIC = "soak";
  private static final int BROKERS = 3;
  private static final int PARTITIONS = 6;

  /** Members of a group that are gone are noticed within the time of a soak. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "min.insync.replicas", "2",
          "group.min.session.timeout.ms", "2000",
          "group.consumer.min.session.timeout.ms", "2000",
          "group.consumer.session.timeout.ms", "3000",
          "group.consumer.min.heartbeat.interval.ms", "500",
          "group.consumer.heartbeat.interval.ms", "1000");

  private final TestKafkaProcesses kafka;
  private final String groupProtocol;

  private KafkaSoak(TestKafkaProcesses kafka, String groupProtocol) {
    this.kafka = kafka;
    this.groupProtocol = groupProtocol;
  }

  /**
   * @param processes the relays and consumers to come
   * @param seed chooses between the two protocols of consumer groups
   */
  static SoakBroker start(List<String> processes, long seed) {
    TestKafkaProcesses kafka =
        TestKafkaProcesses.start(
            BROKERS, SETTINGS, processes.stream().map(KafkaSoak::entrance).toList());
    kafka.createTopic(
        TOPIC, PARTITIONS, BROKERS, Map.of("message.timestamp.type", "LogAppendTime"));
    return new KafkaSoak(kafka, seed % 2 == 0 ? "consumer" : "classic");
  }

  /** A consumer in a process of its own, as {@link #consumerValues} tell it. */
  static AutoCloseable consume(Assignment assignment, Inbox inbox, Handler handler) {
    KafkaInboxConsumer.Builder builder =
        KafkaInboxConsumer.builder()
            .inbox(inbox)
            .handler(handler)
            .topics(assignment.get("TOPIC"))
            .property("bootstrap.servers", assignment.get("BOOTSTRAP_SERVERS"))
            .property("group.id", SoakConsumer.CONSUMER)
            .property("group.protocol", assignment.get("GROUP_PROTOCOL"))
            .batchSize(SoakConsumer.BATCH);
    if (assignment.get("GROUP_PROTOCOL").equals("classic")) {
      builder.property("session.timeout.ms", "3000").property("heartbeat.interval.ms", "1000");
    }
    return builder.build().start();
  }

  private static String entrance(String process) {
    return process.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  @Override
  public String destination() {
    return "kafka:" + TOPIC;
  }

  @Override
  public String lanes() {
    return "kafka";
  }

  @Override
  public Map<String, String> relayEnvironment(String process) {
    return Map.of("TWINBOX_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrapServers(entrance(process)));
  }

  @Override
  public Map<String, String> consumerValues(String process) {
    return Map.of(
        "TOPIC", TOPIC,
        "BOOTSTRAP_SERVERS", kafka.bootstrapServers(entrance(process)),
        "GROUP_PROTOCOL", groupProtocol);
  }

  @Override
  public List<FaultProxy> proxies(String process) {
    return kafka.proxies(entrance(process));
  }

  @Override
  public int nodes() {
    return BROKERS;
  }

  @Override
  public void kill(int node) {
    kafka.kill(node);
  }

  @Override
  public void restart(int node) {
    kafka.startBroker(node);
  }

  @Override
  public void pause(int node) {
    kafka.pause(node);
  }

  @Override
  public void resume(int node) {
    kafka.resume(node);
  }

  @Override
  public void raiseAlarm() {
    throw new UnsupportedOperationException("Kafka has no alarm that blocks publishers");
  }

  @Override
  public void clearAlarm() {}

  @Override
  public long unacknowledged() {
    List<TopicPartition> partitions =
        java.util.stream.IntStream.range(0, PARTITIONS)
            .mapToObj(partition -> new TopicPartition(TOPIC, partition))
            .toList();
    try {
      var ends =
          kafka
              .admin()
              .listOffsets(
                  partitions.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
              .all()
              .get();
      Map<TopicPartition, OffsetAndMetadata> committed =
          kafka
              .admin()
              .listConsumerGroupOffsets(SoakConsumer.CONSUMER)
              .partitionsToOffsetAndMetadata()
              .get();
      return partitions.stream()
          .mapToLong(
              partition -> {
                OffsetAndMetadata reached = committed.get(partition);
                var end = ends.get(partition);
                return (end == null ? 0 : end.offset()) - (reached == null ? 0 : reached.offset());
              })
          .sum();
    } catch (ExecutionException e) {
      throw new IllegalStateException("Kafka did not answer", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted", e);
    }
  }

  @Override
  public long setAside() {
    return 0;
  }

  @Override
  public void read(Consumer<Entry> reader) {
    KafkaReading.toItsEnd(
        Map.of("bootstrap.servers", kafka.bootstrapServers()),
        TOPIC,
        record ->
            reader.accept(
                new Entry(
                    KafkaReading.id(record),
                    Instant.ofEpochMilli(record.timestamp()),
                    record.partition() + ":" + record.offset())));
  }

  @Override
  public void saveLogs(Path folder) {
    kafka.saveLogs(folder);
  }

  @Override
  public void close() {
    kafka.close();
  }
}
