package dev.twinbox.examples.demo;

import dev.twinbox.broker.Broker;
import dev.twinbox.examples.common.KafkaReading;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.kafka.consumer.KafkaInboxConsumer;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.kafka.publisher.KafkaTopology;
import dev.twinbox.testkit.TestKafka;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/** Kafka inside this process. */
final class KafkaDemo implements DemoBroker {
  private static final String TOPIC = "orders";
  private static final String GROUP = "billing";
  private static final int PARTITIONS = 6;

  private final TestKafka kafka;

  private KafkaDemo(TestKafka kafka) {
    this.kafka = kafka;
  }

  static DemoBroker start() {
    KafkaDemo started = new KafkaDemo(TestKafka.start());
    KafkaTopology.forDevelopment(PARTITIONS).create(started.address(), List.of(TOPIC));
    return started;
  }

  @Override
  public String destination() {
    return "kafka:" + TOPIC;
  }

  @Override
  public Broker forRelay() {
    return KafkaBroker.named("kafka").properties(this::address).build();
  }

  @Override
  public AutoCloseable consume(Receiver receiver) {
    return KafkaInboxConsumer.builder()
        .receiver(receiver)
        .topics(TOPIC)
        .properties(address())
        .property("group.id", GROUP)
        .concurrency(2)
        .batchSize(200)
        .development()
        .build()
        .start();
  }

  @Override
  public Saboteur sabotage() {
    return KafkaSaboteur.start(KafkaReading.begin(address(), TOPIC), address());
  }

  @Override
  public long held() {
    return sum(
        kafka
            .admin()
            .listOffsets(
                partitions().stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
            .all()
            .thenApply(ends -> ends.values().stream().mapToLong(end -> end.offset()).sum()));
  }

  /** The topic holds nothing but messages, so an offset is a count. */
  @Override
  public long delivered() {
    return sum(
        kafka
            .admin()
            .listConsumerGroupOffsets(GROUP)
            .partitionsToOffsetAndMetadata()
            .thenApply(
                offsets -> offsets.values().stream().mapToLong(OffsetAndMetadata::offset).sum()));
  }

  @Override
  public void read(Consumer<UUID> reader) {
    KafkaReading.toItsEnd(address(), TOPIC, record -> reader.accept(KafkaReading.id(record)));
  }

  @Override
  public String howToConnect() {
    return "kafka-console-consumer.sh --bootstrap-server %s --topic %s --from-beginning"
        .formatted(kafka.bootstrapServers(), TOPIC);
  }

  @Override
  public void close() {
    kafka.close();
  }

  private Map<String, Object> address() {
    return Map.of("bootstrap.servers", kafka.bootstrapServers());
  }

  private static List<TopicPartition> partitions() {
    return java.util.stream.IntStream.range(0, PARTITIONS)
        .mapToObj(partition -> new TopicPartition(TOPIC, partition))
        .toList();
  }

  private static long sum(KafkaFuture<Long> answer) {
    try {
      return answer.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("Kafka did not answer", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted", e);
    }
  }
}
