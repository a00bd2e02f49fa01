package dev.twinbox.kafka.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Interrupts and errors where nobody expects them: the threads go on. */
class KafkaThreadsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final InboxDatabase database = InboxDatabase.create();
  private final KafkaTestTopic topic = new KafkaTestTopic(1);

  @BeforeEach
  void reset() {
    Interceptor.made.set(0);
    Interceptor.throwing.set(false);
  }

  @AfterEach
  void close() {
    topic.close();
    database.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void anInterruptOfThePollingThreadCostsOneJoinAtMost(String protocol) {
    try (KafkaInboxConsumer consumer = consumer(protocol, InboxDatabase::effect).start()) {
      topic.send(0, "k");
      await().atMost(PATIENCE).until(() -> database.effects().size() == 1);

      thread("-poll").interrupt();
      topic.send(0, "k");
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 2);
      await()
          .during(Duration.ofSeconds(3))
          .atMost(PATIENCE)
          .until(() -> Interceptor.made.get() <= 2);

      thread("kafka-1").interrupt();
      topic.send(0, "k");
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 3);
      assertThat(consumer.causes()).isEmpty();
    }
  }

  @Test
  void errorsInThePollingThreadAreOverOnceTheirCauseIs() {
    Interceptor.throwing.set(true);
    try (KafkaInboxConsumer consumer = consumer("classic", InboxDatabase::effect).start()) {
      topic.send(0, "k");
      await().atMost(PATIENCE).until(() -> Interceptor.made.get() >= 2);
      Interceptor.throwing.set(false);
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 1);
      assertThat(consumer.causes()).isEmpty();
    }
    assertThat(database.effects()).hasSize(1);
  }

  @Test
  void errorsAfterTheHandlingLoseNoRecord() {
    AtomicInteger errors = new AtomicInteger();
    Inbox inbox = database.inbox("billing").build();
    try (KafkaInboxConsumer consumer =
        builder(
                "classic",
                (delivery, work) -> {
                  InboxDatabase.effect(delivery, work);
                  if (errors.incrementAndGet() <= 2) {
                    throw new StackOverflowError();
                  }
                })
            .inbox(inbox)
            .build()
            .start()) {
      topic.send(0, "k");
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 1);
      assertThat(consumer.causes()).isEmpty();
    }
    assertThat(database.effects()).hasSize(1);
  }

  @Test
  void aBatchWhoseFateIsUnknownIsReadAgain() throws Exception {
    PolledRecords polled = new PolledRecords(1, false);
    CountDownLatch tried = new CountDownLatch(1);
    polled.assigned(List.of(new TopicPartition(topic.name(), 0)));
    polled.add(
        new TopicPartition(topic.name(), 0),
        List.of(new ConsumerRecord<>(topic.name(), 0, 0L, new byte[0], new byte[0])));
    BatchWorker worker =
        new BatchWorker(
            database.inbox("billing").build().receiver(InboxDatabase::effect),
            false,
            polled,
            () -> {
              tried.countDown();
              throw new NoClassDefFoundError("progressed");
            });
    Thread thread = new Thread(worker);
    thread.start();
    tried.await();

    await().atMost(PATIENCE).until(worker::takeFailure);
    assertThat(polled.isWorking()).isFalse();
    assertThat(thread.isAlive()).isTrue();
    polled.close();
    thread.join(10_000);
    assertThat(thread.isAlive()).isFalse();
  }

  private Thread thread(String suffix) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().startsWith("twinbox-inbox-billing-"))
        .filter(each -> each.getName().endsWith(suffix))
        .findAny()
        .orElseThrow();
  }

  private KafkaInboxConsumer consumer(String protocol, Handler handler) {
    return builder(protocol, handler).build();
  }

  private KafkaInboxConsumer.Builder builder(String protocol, Handler handler) {
    return KafkaInboxConsumer.builder()
        .development()
        .inbox(database.inbox("billing").build())
        .handler(handler)
        .topics(topic.name())
        .properties(topic.consumerProperties(protocol))
        .property("interceptor.classes", Interceptor.class.getName());
  }

  /** A user's class, made once for each client and called by its polling thread. */
  public static final class Interceptor implements ConsumerInterceptor<byte[], byte[]> {
    static final AtomicInteger made = new AtomicInteger();
    static final AtomicBoolean throwing = new AtomicBoolean();

    public Interceptor() {
      made.incrementAndGet();
    }

    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
      if (throwing.get()) {
        throw new OutOfMemoryError("unable to create native thread (a test's)");
      }
      return records;
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
      // nothing
    }

    @Override
    public void close() {
      // nothing
    }

    @Override
    public void configure(Map<String, ?> configs) {
      // nothing
    }
  }
}
