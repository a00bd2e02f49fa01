package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.inbox.ProcessKillerContract;
import dev.twinbox.testkit.TestKafka;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** A message at which the consumer's process dies, each time, among harmless ones. */
class KafkaProcessKillerTest extends ProcessKillerContract {
  @Test
  void aKafkaRecordThatKillsItsProcessIsQuarantinedAfterItsAttempts() throws Exception {
    TestKafka kafka = TestKafka.shared();
    kafka.createTopic(name, 1);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (String id : ids) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(name, 0, null, new byte[0]);
        record.headers().add("ce_id", id.getBytes(UTF_8));
        producer.send(record).get();
      }
    }

    dieUntilQuarantined(KafkaConsumerProcess.class, kafka.bootstrapServers());
  }
}
