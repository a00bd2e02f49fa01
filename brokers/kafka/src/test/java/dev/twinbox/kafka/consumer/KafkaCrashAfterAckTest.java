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
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * PostgreSQL crashes right after an offset commit. Its default is {@code synchronous_commit=off},
 * and its WAL writer is slow: what is not flushed by its commit is gone.
 */
class KafkaCrashAfterAckTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final TestPostgres server =
      TestPostgres.builder()
          .setting("synchronous_commit", "off")
          .setting("wal_writer_delay", "10s")
          .start();
  private final InboxDatabase database = InboxDatabase.on(server);
  private final Inbox inbox = database.inbox("billing").build();
  private final String name = "crash-" + Messages.id();

  @AfterEach
  void close() {
    database.close();
    server.close();
  }

  @Test
  void whatKafkaWasToldIsThereAfterACrash() throws Exception {
    kafkaRounds(2);
  }

  @Tag("long")
  @Test
  void whatKafkaWasToldIsThereAfterFiftyCrashes() throws Exception {
    kafkaRounds(50);
  }

  private void kafkaRounds(int rounds) throws Exception {
    TestKafka kafka = TestKafka.shared();
    kafka.createTopic(name, 1);
    try (KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        KafkaInboxConsumer consumer =
            KafkaInboxConsumer.builder()
                .development()
                .inbox(inbox)
                .handler(InboxDatabase::effect)
                .topics(name)
                .property("bootstrap.servers", kafka.bootstrapServers())
                .property("group.id", name)
                .build()
                .start()) {
      List<String> sent = new ArrayList<>();
      for (int round = 1; round <= rounds; round++) {
        for (int i = 0; i < 5; i++) {
          String id = Messages.id();
          ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(name, 0, null, new byte[0]);
          record.headers().add("ce_id", id.getBytes(UTF_8));
          producer.send(record).get();
          sent.add(id);
        }
        await().atMost(PATIENCE).until(() -> committed() == sent.size());
        crash();
        assertThat(database.effects()).as("after crash %s", round).isEqualTo(sent);
      }
    }
  }

  private long committed() throws Exception {
    var offset =
        TestKafka.shared()
            .admin()
            .listConsumerGroupOffsets(name)
            .partitionsToOffsetAndMetadata()
            .get()
            .get(new TopicPartition(name, 0));
    return offset == null ? 0 : offset.offset();
  }

  private void crash() {
    server.stopImmediately();
    server.restart();
    await().atMost(PATIENCE).ignoreExceptions().until(() -> database.count("select 1") == 1);
  }
}
