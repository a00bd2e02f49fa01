package dev.twinbox.testkit;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes numbers and returns when each is acknowledged by all replicas in sync. */
final class KafkaWriter {
  private KafkaWriter() {}

  static void write(KafkaCluster kafka, String topic, int first, int last) throws Exception {
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            kafka.bootstrapServers(),
            "acks",
            "all",
            "max.block.ms",
            3000,
            "request.timeout.ms",
            2000,
            "linger.ms",
            0,
            "delivery.timeout.ms",
            last == first ? 3000 : 30_000);
    ByteArraySerializer bytes = new ByteArraySerializer();
    try (Producer<byte[], byte[]> producer = new KafkaProducer<>(settings, bytes, bytes)) {
      List<Future<?>> sent = new ArrayList<>();
      for (int value = first; value <= last; value++) {
        byte[] number = ByteBuffer.allocate(4).putInt(value).array();
        sent.add(producer.send(new ProducerRecord<>(topic, number, number)));
      }
      for (Future<?> each : sent) {
        each.get();
      }
    }
  }

  static List<Integer> values(KafkaCluster kafka, String topic) {
    return kafka.records(topic).stream().map(r -> ByteBuffer.wrap(r.value()).getInt()).toList();
  }
}
