package dev.twinbox.kafka.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.BatchSizes;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A transaction takes what waits: little while nothing has piled up, as much as it may after. */
class KafkaBatchGrowthTest {
  private static final int PILED_UP = 3_000;

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final KafkaTestTopic topic = new KafkaTestTopic(2);

  @AfterEach
  void close() {
    topic.close();
    database.close();
  }

  @Test
  void batchesGrowWithTheLagAndShrinkWithIt() {
    topic.sendMany(PILED_UP);
    try (KafkaInboxConsumer consumer =
        KafkaInboxConsumer.builder()
            .inbox(inbox)
            .handler(BatchSizes::note)
            .topics(topic.name())
            .properties(topic.consumerProperties("consumer"))
            .development()
            .build()
            .start()) {
      awaitEffects(PILED_UP);
      List<Integer> backlog = BatchSizes.of(database);
      for (int i = 1; i <= 10; i++) {
        topic.send(0, null);
        awaitEffects(PILED_UP + i);
      }
      List<Integer> trickle = BatchSizes.of(database).subList(backlog.size(), backlog.size() + 10);

      System.out.printf(Locale.ROOT, "Kafka: %s messages in batches of %s%n", PILED_UP, backlog);
      assertThat(backlog.stream().mapToInt(Integer::intValue).max()).hasValue(500);
      assertThat(backlog.size()).isLessThanOrEqualTo(PILED_UP / 500 + 14);
      assertThat(trickle).containsOnly(1);
    }
  }

  private void awaitEffects(long count) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> database.count("select count(*) from effect") >= count);
  }
}
