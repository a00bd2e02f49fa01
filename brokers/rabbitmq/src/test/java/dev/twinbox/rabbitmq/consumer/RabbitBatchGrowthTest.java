package dev.twinbox.rabbitmq.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.BatchSizes;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A transaction takes what waits: little while nothing has piled up, as much as it may after. */
class RabbitBatchGrowthTest {
  private static final int PILED_UP = 3_000;

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final TestQueue queue = new TestQueue();

  @AfterEach
  void close() throws IOException {
    queue.close();
    database.close();
  }

  @Test
  void batchesGrowWithTheLagAndShrinkWithIt() {
    queue.sendMany(PILED_UP);
    try (RabbitInboxConsumer consumer =
        RabbitInboxConsumer.builder()
            .inbox(inbox)
            .handler(BatchSizes::note)
            .queue(queue.name())
            .connectionFactory(TestRabbit.shared().connectionFactory())
            .development()
            .build()
            .start()) {
      awaitEffects(PILED_UP);
      List<Integer> backlog = BatchSizes.of(database);
      for (int i = 1; i <= 10; i++) {
        queue.send(null);
        awaitEffects(PILED_UP + i);
      }
      List<Integer> trickle = BatchSizes.of(database).subList(backlog.size(), backlog.size() + 10);

      System.out.printf(Locale.ROOT, "RabbitMQ: %s messages in batches of %s%n", PILED_UP, backlog);
      assertThat(backlog.stream().mapToInt(Integer::intValue).max()).hasValue(100);
      assertThat(backlog.stream().mapToInt(Integer::intValue).average().orElse(0))
          .isGreaterThan(60);
      assertThat(trickle).containsOnly(1);
    }
  }

  private void awaitEffects(long count) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> database.count("select count(*) from effect") >= count);
  }
}
