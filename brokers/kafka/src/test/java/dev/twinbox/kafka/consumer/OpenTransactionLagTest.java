package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.inbox.metrics.InboxMetrics;
import dev.twinbox.testkit.TestKafka;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Another producer's open transaction keeps what came behind it from being delivered. */
class OpenTransactionLagTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final InboxDatabase database = InboxDatabase.create();
  private final KafkaTestTopic topic = new KafkaTestTopic(1);

  @AfterEach
  void close() {
    topic.close();
    database.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void whatWaitsBehindItCountsAndTheCauseIsTold(String protocol) throws Exception {
    String partition = topic.name() + "-0";
    topic.send(0, "k");
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (KafkaInboxConsumer consumer =
            KafkaInboxConsumer.builder()
                .development()
                .inbox(database.inbox("billing").build())
                .handler(InboxDatabase::effect)
                .topics(topic.name())
                .properties(topic.consumerProperties(protocol))
                .build()
                .start();
        InboxMetrics metrics = new InboxMetrics(database.inbox("billing").build(), consumer);
        KafkaProducer<byte[], byte[]> foreign =
            new KafkaProducer<>(
                Map.of(
                    "bootstrap.servers",
                    TestKafka.shared().bootstrapServers(),
                    "transactional.id",
                    topic.name()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
      metrics.bindTo(registry);
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 1);

      foreign.initTransactions();
      foreign.beginTransaction();
      ProducerRecord<byte[], byte[]> open =
          new ProducerRecord<>(topic.name(), 0, null, new byte[1]);
      open.headers().add("ce_id", Messages.id().getBytes(UTF_8));
      foreign.send(open).get();
      for (int i = 0; i < 50; i++) {
        topic.send(0, "k");
      }

      await().atMost(PATIENCE).until(() -> consumer.lag().getOrDefault(partition, 0L) == 51);
      await().atMost(PATIENCE).until(() -> consumer.withheld().equals(Map.of(partition, 51L)));
      assertThat(consumer.causes().get(partition)).contains("open transaction");
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  registry.find("twinbox.inbox.withheld").gauges().stream()
                      .anyMatch(gauge -> gauge.value() == 51));
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  registry.find("twinbox.inbox.lag").gauges().stream()
                      .anyMatch(gauge -> gauge.value() == 51));

      foreign.commitTransaction();
      await().atMost(PATIENCE).until(() -> database.effects().size() == 52);
      await()
          .atMost(PATIENCE)
          .until(() -> consumer.lag().equals(Map.of(partition, 0L)) && consumer.causes().isEmpty());
    }
  }
}
