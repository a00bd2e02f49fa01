package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.TestKafkaProcesses;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** A broker that dies while a batch is in work. */
class OffsetCommitTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @Test
  void anOffsetThatKafkaHasNotConfirmedIsCommittedAgain() throws Exception {
    String topic = "commits";
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    try (TestKafkaProcesses kafka = TestKafkaProcesses.start(1);
        InboxDatabase database = InboxDatabase.create()) {
      kafka.createTopic(topic, 1);
      try (KafkaProducer<byte[], byte[]> producer =
          new KafkaProducer<>(
              Map.of("bootstrap.servers", kafka.bootstrapServers()),
              new ByteArraySerializer(),
              new ByteArraySerializer())) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, null, new byte[0]);
        record.headers().add("ce_id", Messages.id().getBytes(UTF_8));
        producer.send(record).get();
      }
      try (KafkaInboxConsumer consumer =
          KafkaInboxConsumer.builder()
              .development()
              .inbox(database.inbox("billing").build())
              .handler(
                  (delivery, work) -> {
                    InboxDatabase.effect(delivery, work);
                    handling.countDown();
                    goOn.await();
                  })
              .topics(topic)
              .property("bootstrap.servers", kafka.bootstrapServers())
              .property("group.id", topic)
              // The member outlives the outage: nobody is given the record again.
              .property("session.timeout.ms", 120_000)
              .property("group.protocol", "classic")
              .build()
              .start()) {
        assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

        kafka.kill(0);
        goOn.countDown();
        await().atMost(PATIENCE).until(() -> database.effects().size() == 1);
        kafka.startBroker(0);

        await()
            .atMost(PATIENCE)
            .ignoreExceptions()
            .until(() -> CommittedOffset.of(kafka, topic) == 1);
      }
    }
  }
}
