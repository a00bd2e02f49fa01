package dev.twinbox.kafka.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.InboxDatabase;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A consumer that has as much in hand as it wants, while Kafka has brought more. */
class FullConsumerTest {
  private static final int MESSAGES = 5_000;

  private final InboxDatabase database = InboxDatabase.create();
  private final KafkaTestTopic topic = new KafkaTestTopic(1);

  @AfterEach
  void close() {
    topic.close();
    database.close();
  }

  /** Kafka's newer consumer spins while records of paused partitions lie in its buffer. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void thePollingThreadSleepsWhileTheHandlerIsSlow(String protocol) throws Exception {
    topic.sendMany(MESSAGES);
    AtomicInteger handled = new AtomicInteger();
    try (KafkaInboxConsumer consumer =
        KafkaInboxConsumer.builder()
            .inbox(database.inbox("billing").build())
            .properties(topic.consumerProperties(protocol))
            .topics(topic.name())
            .handler(
                (delivery, work) -> {
                  TimeUnit.MILLISECONDS.sleep(100);
                  handled.incrementAndGet();
                })
            .batchSize(1)
            .development()
            .build()
            .start()) {
      await().atMost(Duration.ofSeconds(60)).until(() -> handled.get() > 3);
      long thread = pollingThread();
      ThreadMXBean threads = ManagementFactory.getThreadMXBean();
      long before = threads.getThreadCpuTime(thread);
      long began = System.nanoTime();

      TimeUnit.SECONDS.sleep(3);

      double share =
          (double) (threads.getThreadCpuTime(thread) - before) / (System.nanoTime() - began);
      assertThat(share).as("share of a core that the polling thread takes").isLessThan(0.15);
      assertThat(consumer.lag()).isNotEmpty();
    }
  }

  private static long pollingThread() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().endsWith("-poll"))
        .findAny()
        .orElseThrow()
        .getId();
  }
}
