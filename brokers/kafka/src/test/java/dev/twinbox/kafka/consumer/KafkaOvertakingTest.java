package dev.twinbox.kafka.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where messages may overtake one of their key that fails. */
class KafkaOvertakingTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int BATCH = 5;

  private final InboxDatabase database = InboxDatabase.create();
  private final KafkaTestTopic topic = new KafkaTestTopic(1);
  private final AtomicBoolean healed = new AtomicBoolean();
  private final String poison = topic.send(0, "a");

  @AfterEach
  void close() {
    topic.close();
    database.close();
  }

  @Test
  void thoseBehindAFailedRecordGoOnAndItsOffsetHoldsTheProgressBack() {
    List<String> behind = send(10);
    try (KafkaInboxConsumer consumer = consumer(Duration.ofHours(1))) {
      consumer.start();
      await().atMost(PATIENCE).until(() -> database.effects().size() == 10);
      assertThat(database.effects()).isEqualTo(behind);
    }
    // Whoever comes next is given all of it again, and knows what is done.
    assertThat(topic.committed(0)).isZero();
    healed.set(true);
    try (KafkaInboxConsumer next = consumer(Duration.ofHours(1))) {
      next.start();
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 11);
    }
    assertThat(database.effects()).hasSize(11).doesNotHaveDuplicates().endsWith(poison);
  }

  @Test
  void howFarTheyGetAheadIsLimited() {
    send(200);
    try (KafkaInboxConsumer consumer = consumer(Duration.ofMillis(200))) {
      consumer.start();
      await()
          .during(Duration.ofSeconds(2))
          .atMost(PATIENCE)
          .until(
              () -> database.effects().size() >= BATCH && database.effects().size() <= 6 * BATCH);

      healed.set(true);

      await().atMost(PATIENCE).until(() -> topic.committed(0) == 201);
    }
    assertThat(database.effects()).hasSize(201).doesNotHaveDuplicates();
  }

  private List<String> send(int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(topic.send(0, "a"));
    }
    return ids;
  }

  private KafkaInboxConsumer consumer(Duration pause) {
    Inbox inbox =
        database
            .inbox("billing")
            .mayOvertake()
            .backoff(Backoff.exponential(pause).upTo(pause).giveUpAfter(1_000))
            .build();
    Handler handler =
        (delivery, work) -> {
          InboxDatabase.effect(delivery, work);
          if (poison.equals(delivery.id()) && !healed.get()) {
            throw new IllegalStateException("Not yet");
          }
        };
    return KafkaInboxConsumer.builder()
        .development()
        .inbox(inbox)
        .handler(handler)
        .topics(topic.name())
        .properties(topic.consumerProperties("classic"))
        .batchSize(BATCH)
        .build();
  }
}
