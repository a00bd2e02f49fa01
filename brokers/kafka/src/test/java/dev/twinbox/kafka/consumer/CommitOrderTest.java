package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestKafkaProcesses;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Offsets while their coordinator cannot be reached, and after that. */
class CommitOrderTest {
  private static final String ENTRANCE = "CONSUMER";
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  /** The client waits for longer from attempt to attempt: 0.1 s, 0.2 s, 0.4 s, … up to this. */
  private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(5);

  // Two: who cannot reach the coordinator still learns from the other who it is.
  private static TestKafkaProcesses kafka;

  @BeforeAll
  static void start() {
    kafka = TestKafkaProcesses.start(2, Map.of(), List.of(ENTRANCE));
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void anOffsetThatTheClientSendsAgainDoesNotTakeBackALaterOne(String protocol) throws Exception {
    commitsReachTheEndAndStay(
        "again-" + protocol,
        protocol,
        coordinator -> {
          coordinator.refuse();
          coordinator.cut();
        },
        // For some attempts in vain, and a long wait before the next.
        Duration.ofSeconds(4),
        FaultProxy::accept);
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void anOffsetWhoseCommitArrivesAfterItWasGivenUpDoesNotTakeBackALaterOne(String protocol)
      throws Exception {
    commitsReachTheEndAndStay(
        "late-" + protocol,
        protocol,
        FaultProxy::freeze,
        // Longer than a commit is waited for.
        Duration.ofSeconds(12),
        FaultProxy::thaw);
  }

  private static void commitsReachTheEndAndStay(
      String topic,
      String protocol,
      Consumer<FaultProxy> fault,
      Duration lasts,
      Consumer<FaultProxy> end)
      throws Exception {
    CountDownLatch handling = new CountDownLatch(1);
    List<CountDownLatch> goOn = List.of(new CountDownLatch(1), new CountDownLatch(1));
    AtomicInteger handled = new AtomicInteger();
    kafka.createTopic(topic, 1);
    send(topic, 2);
    try (InboxDatabase database = InboxDatabase.create();
        KafkaInboxConsumer consumer =
            KafkaInboxConsumer.builder()
                .development()
                .inbox(database.inbox("billing").build())
                .handler(
                    (delivery, work) -> {
                      InboxDatabase.effect(delivery, work);
                      handling.countDown();
                      goOn.get(handled.getAndIncrement()).await();
                    })
                .topics(topic)
                .batchSize(1)
                .property("bootstrap.servers", kafka.bootstrapServers(ENTRANCE))
                .property("group.id", topic)
                .property("group.protocol", protocol)
                .property("retry.backoff.max.ms", LONGEST_BACKOFF.toMillis())
                .property("reconnect.backoff.max.ms", 100)
                .build()
                .start()) {
      assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();
      FaultProxy coordinator = kafka.proxies(ENTRANCE).get(coordinator(topic));
      fault.accept(coordinator);
      goOn.get(0).countDown();
      await().atMost(PATIENCE).until(() -> database.effects().size() == 1);
      await().atMost(PATIENCE).pollDelay(lasts).until(() -> true);

      end.accept(coordinator);
      goOn.get(1).countDown();
      await()
          .atMost(PATIENCE)
          .during(LONGEST_BACKOFF.plusSeconds(1))
          .until(() -> CommittedOffset.of(kafka, topic) == 2);
    }
  }

  private static int coordinator(String group) throws Exception {
    var described = kafka.admin().describeConsumerGroups(List.of(group)).all().get();
    return described.values().iterator().next().coordinator().id();
  }

  private static void send(String topic, int records) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < records; i++) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, null, new byte[0]);
        record.headers().add("ce_id", Messages.id().getBytes(UTF_8));
        producer.send(record).get();
      }
    }
  }
}
