package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TestKafkaProcessesTest {
  private static TestKafkaProcesses kafka;

  @BeforeAll
  static void start() {
    kafka = TestKafkaProcesses.start(2, Map.of(), List.of("CLIENTS"));
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  @Test
  void aKilledBrokerComesBackWithItsAcknowledgedRecords() throws Exception {
    kafka.createTopic("kept", 1, 2, Map.of());
    KafkaWriter.write(kafka, "kept", 1, 10);

    kafka.kill(0);
    KafkaWriter.write(kafka, "kept", 11, 20);
    kafka.startBroker(0);

    assertThat(KafkaWriter.values(kafka, "kept")).contains(1, 10, 11, 20);
  }

  @Test
  void aClientStaysWithTheProxiesOfItsEntrance() throws Exception {
    kafka.createTopic("entered", 2, 2, Map.of());
    Map<String, Object> settings =
        Map.of("bootstrap.servers", kafka.bootstrapServers("CLIENTS"), "acks", "all");
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>("entered", 0, null, new byte[1])).get();
      producer.send(new ProducerRecord<>("entered", 1, null, new byte[1])).get();
      assertThat(kafka.proxies("CLIENTS"))
          .hasSize(2)
          .allMatch(proxy -> proxy.openConnections() > 0);

      kafka.proxies("CLIENTS").forEach(FaultProxy::freeze);
      Future<RecordMetadata> frozen =
          producer.send(new ProducerRecord<>("entered", 0, null, new byte[1]));
      KafkaWriter.write(kafka, "entered", 1, 3); // by the brokers' own addresses
      assertThat(frozen.isDone()).isFalse();
      kafka.proxies("CLIENTS").forEach(FaultProxy::thaw);
      frozen.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void pausedBrokersAcknowledgeNothingUntilTheyAreResumed() throws Exception {
    kafka.createTopic("paused", 1);
    KafkaWriter.write(kafka, "paused", 1, 10);

    kafka.pause(0);
    kafka.pause(1);
    assertThatThrownBy(() -> KafkaWriter.write(kafka, "paused", 11, 11))
        .isInstanceOf(ExecutionException.class);
    kafka.resume(0);
    kafka.resume(1);
    KafkaWriter.write(kafka, "paused", 12, 20);

    assertThat(KafkaWriter.values(kafka, "paused")).contains(10, 12, 20);
  }
}
