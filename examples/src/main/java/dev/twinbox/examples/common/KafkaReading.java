package dev.twinbox.examples.common;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a Kafka topic from its first record. */
public final class KafkaReading {
  private KafkaReading() {}

  /** A consumer of the whole topic from its beginning, without a group. */
  public static KafkaConsumer<byte[], byte[]> begin(Map<String, Object> address, String topic) {
    Map<String, Object> settings = new HashMap<>(address);
    settings.put("enable.auto.commit", false);
    settings.put("max.poll.records", 5_000);
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic).stream()
            .map(info -> new TopicPartition(topic, info.partition()))
            .toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    return consumer;
  }

  /** Reads what the topic holds now: each partition in its order. */
  public static void toItsEnd(
      Map<String, Object> address, String topic, Consumer<ConsumerRecord<byte[], byte[]>> reader) {
    try (KafkaConsumer<byte[], byte[]> consumer = begin(address, topic)) {
      Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        consumer.poll(Duration.ofMillis(100)).forEach(reader);
      }
    }
  }

  /** The id of the message that a record carries. */
  public static UUID id(ConsumerRecord<byte[], byte[]> record) {
    return UUID.fromString(
        new String(record.headers().lastHeader("ce_id").value(), StandardCharsets.UTF_8));
  }
}
