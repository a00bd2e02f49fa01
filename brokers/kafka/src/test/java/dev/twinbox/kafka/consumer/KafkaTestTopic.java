package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.TestKafka;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** A topic of a test's own with a producer and a look at its group. */
final class KafkaTestTopic implements AutoCloseable {
  private final TestKafka kafka = TestKafka.shared();
  private final String name = "t-" + UUID.randomUUID();
  private final KafkaProducer<byte[], byte[]> producer =
      new KafkaProducer<>(
          Map.of(
              ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
              kafka.bootstrapServers(),
              ProducerConfig.LINGER_MS_CONFIG,
              0),
          new ByteArraySerializer(),
          new ByteArraySerializer());

  KafkaTestTopic(int partitions) {
    kafka.createTopic(name, partitions);
  }

  String name() {
    return name;
  }

  /** Properties of a consumer in this topic's one group. */
  Map<String, Object> consumerProperties(String protocol) {
    Map<String, Object> properties = new HashMap<>();
    properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers());
    properties.put(ConsumerConfig.GROUP_ID_CONFIG, name);
    properties.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, protocol);
    return properties;
  }

  /** Sends a message as the relay does; returns its id. */
  String send(int partition, @Nullable String key) {
    return send(partition, key, Messages.id());
  }

  String send(int partition, @Nullable String key, String id) {
    send(partition, key, Map.of("ce_specversion", "1.0", "ce_id", id), "x".getBytes(UTF_8));
    return id;
  }

  /** Many to the first partition, without waiting for each. */
  void sendMany(int messages) {
    for (int i = 0; i < messages; i++) {
      ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(name, 0, null, new byte[1]);
      record.headers().add("ce_specversion", "1.0".getBytes(UTF_8));
      record.headers().add("ce_id", Messages.id().getBytes(UTF_8));
      if (i == 0) {
        // A leader that has just been elected may turn the first batch away and take the second.
        send(record);
      } else {
        var unused = producer.send(record);
      }
    }
    producer.flush();
  }

  void send(
      int partition, @Nullable String key, Map<String, String> headers, byte @Nullable [] payload) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(name, partition, key == null ? null : key.getBytes(UTF_8), payload);
    headers.forEach((header, value) -> record.headers().add(header, value.getBytes(UTF_8)));
    send(record);
  }

  void send(ProducerRecord<byte[], byte[]> record) {
    try {
      producer.send(record).get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The group's committed offset of a partition; -1 for none. */
  long committed(int partition) {
    try {
      var offset =
          kafka
              .admin()
              .listConsumerGroupOffsets(name)
              .partitionsToOffsetAndMetadata()
              .get()
              .get(new TopicPartition(name, partition));
      return offset == null ? -1 : offset.offset();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** How many members the group has that own a partition. */
  long owners() {
    try {
      return kafka.admin().describeConsumerGroups(List.of(name)).all().get().values().stream()
          .flatMap(group -> group.members().stream())
          .filter(member -> !member.assignment().topicPartitions().isEmpty())
          .count();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    producer.close();
  }
}
