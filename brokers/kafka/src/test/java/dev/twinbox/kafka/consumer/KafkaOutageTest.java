package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The database goes away while Kafka is up. */
class KafkaOutageTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final TestPostgres server = TestPostgres.start();
  private final InboxDatabase database = InboxDatabase.on(server);
  private final Inbox inbox = database.inbox("billing").build();

  @AfterEach
  void close() {
    database.close();
    server.close();
  }

  @Test
  void kafkaConsumptionPausesWhileTheDatabaseIsDownAndResumesByItself() throws Exception {
    String topic = "outage-" + Messages.id();
    TestKafka.shared().createTopic(topic, 2);
    try (KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", TestKafka.shared().bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        KafkaInboxConsumer consumer =
            KafkaInboxConsumer.builder()
                .development()
                .inbox(inbox)
                .handler(InboxDatabase::effect)
                .topics(topic)
                .property("bootstrap.servers", TestKafka.shared().bootstrapServers())
                .property("group.id", topic)
                .build()) {
      consumer.start();
      List<String> ids = send(producer, topic, 50);
      await().atMost(PATIENCE).until(() -> committed(topic) == 50);

      server.stopImmediately();
      ids.addAll(send(producer, topic, 50));
      await()
          .during(Duration.ofSeconds(2))
          .atMost(Duration.ofSeconds(5))
          .until(() -> committed(topic) == 50);
      server.restart();

      await().atMost(PATIENCE).until(() -> committed(topic) == 100);
      assertThat(database.effects()).containsExactlyInAnyOrderElementsOf(ids);
      assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
    }
  }

  private static List<String> send(
      KafkaProducer<byte[], byte[]> producer, String topic, int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = Messages.id();
      ProducerRecord<byte[], byte[]> record =
          new ProducerRecord<>(topic, i % 2, null, id.getBytes(UTF_8));
      record.headers().add("ce_id", id.getBytes(UTF_8));
      producer.send(record);
      ids.add(id);
    }
    producer.flush();
    return ids;
  }

  private static long committed(String topic) throws ExecutionException, InterruptedException {
    long sum = 0;
    var offsets =
        TestKafka.shared()
            .admin()
            .listConsumerGroupOffsets(topic)
            .partitionsToOffsetAndMetadata()
            .get();
    for (int i = 0; i < 2; i++) {
      var offset = offsets.get(new TopicPartition(topic, i));
      sum += offset == null ? 0 : offset.offset();
    }
    return sum;
  }
}
