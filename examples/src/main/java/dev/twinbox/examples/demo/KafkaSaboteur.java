package dev.twinbox.examples.demo;

import dev.twinbox.examples.common.KafkaReading;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Repeats records of a topic, headers and all. */
final class KafkaSaboteur extends Saboteur {
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Thread thread = new Thread(this::work, "saboteur");
  private volatile boolean stopping;

  private KafkaSaboteur(KafkaConsumer<byte[], byte[]> consumer, Map<String, Object> address) {
    this.consumer = consumer;
    Map<String, Object> settings = new HashMap<>(address);
    settings.put("acks", "all");
    producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    thread.setDaemon(true);
  }

  /** Begins to read with the consumer, which it closes in the end. */
  static KafkaSaboteur start(KafkaConsumer<byte[], byte[]> consumer, Map<String, Object> address) {
    KafkaSaboteur saboteur = new KafkaSaboteur(consumer, address);
    saboteur.thread.start();
    return saboteur;
  }

  @Override
  public void close() {
    stopping = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void work() {
    try (consumer;
        producer) {
      while (!stopping) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(50))) {
          if (wantsToRepeat(KafkaReading.id(record))) {
            var unused =
                producer.send(
                    new ProducerRecord<>(
                        record.topic(), null, record.key(), record.value(), record.headers()));
          }
        }
      }
      producer.flush();
    }
  }
}
