package dev.twinbox.kafka.consumer;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.kafka.doctor.CommittedTopic;
import dev.twinbox.kafka.doctor.KafkaCheck;
import dev.twinbox.kafka.doctor.KafkaExamination;
import dev.twinbox.testkit.TestKafka;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A topic's name and offsets come again when it is deleted and made anew; its id does not. */
class TopicMadeAnewTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final InboxDatabase database = InboxDatabase.create();
  private final KafkaTestTopic topic = new KafkaTestTopic(1);

  @AfterEach
  void close() {
    topic.close();
    database.close();
  }

  @ParameterizedTest
  @CsvSource({"classic,false", "classic,true", "consumer,false", "consumer,true"})
  void nothingOfTheNewTopicIsSkippedWithABatchOfTheOldOneInHand(
      String protocol, boolean mayOvertake) throws Exception {
    CountDownLatch handling = new CountDownLatch(61);
    CountDownLatch goOn = new CountDownLatch(1);
    Handler handler =
        (delivery, work) -> {
          InboxDatabase.effect(delivery, work);
          handling.countDown();
          if (handling.getCount() == 0) {
            goOn.await();
          }
        };
    topic.sendMany(100);
    try (KafkaInboxConsumer consumer = consumer(protocol, mayOvertake, handler).start()) {
      assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

      makeAnew();
      List<String> sent = send(150);
      goOn.countDown();

      await().atMost(PATIENCE).until(() -> database.effects().containsAll(sent));
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 150);
      await().atMost(PATIENCE).until(() -> consumer.lag().values().stream().allMatch(n -> n == 0));
      assertThat(database.effects()).doesNotHaveDuplicates();
      // An offset of before the consumer noticed is one of the former topic: read again, if at all.
      await().atMost(PATIENCE).until(() -> committed().metadata().contains(id().toString()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void anOffsetOfAFormerTopicIsNotAppliedToTheNewOne(String protocol) throws Exception {
    List<String> sent = send(10);
    CommittedTopic former = new CommittedTopic(cluster(), Uuid.randomUuid());
    commit(new OffsetAndMetadata(7, former.metadata()));

    try (KafkaInboxConsumer consumer = consumer(protocol, false, InboxDatabase::effect).start()) {
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 10);
      assertThat(consumer.causes()).isEmpty();
    }
    assertThat(database.effects()).isEqualTo(sent);
  }

  @Test
  void aTopicThatWasMadeAnewWhileNobodyConsumedIsReadThoughTheOldOffsetIsBeyondItsEnd()
      throws Exception {
    List<String> sent = send(10);
    CommittedTopic former = new CommittedTopic(cluster(), Uuid.randomUuid());
    commit(new OffsetAndMetadata(70, former.metadata()));

    assertThat(examined()).containsExactly(KafkaCheck.OFFSET_OF_FORMER_TOPIC);
    try (KafkaInboxConsumer consumer = consumer("classic", true, InboxDatabase::effect).start()) {
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 10);
      assertThat(consumer.causes()).isEmpty();
    }
    assertThat(examined()).isEmpty();
    assertThat(database.effects()).isEqualTo(sent);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "of another tool"})
  void anOffsetThatNamesNoTopicCountsAndIsGivenTheTopicsId(String metadata) throws Exception {
    List<String> sent = send(10);
    commit(new OffsetAndMetadata(7, metadata));

    try (KafkaInboxConsumer consumer = consumer("classic", false, InboxDatabase::effect).start()) {
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 10);
      assertThat(consumer.causes()).isEmpty();
    }
    assertThat(database.effects()).isEqualTo(sent.subList(7, 10));

    commit(new OffsetAndMetadata(10, metadata));
    try (KafkaInboxConsumer idle = consumer("classic", false, InboxDatabase::effect).start()) {
      await().atMost(PATIENCE).until(() -> committed().metadata().contains(id().toString()));
      assertThat(idle.causes()).isEmpty();
    }
  }

  @Test
  void anOffsetOfAnotherClusterCounts() throws Exception {
    List<String> sent = send(10);
    commit(new OffsetAndMetadata(7, new CommittedTopic("elsewhere", Uuid.randomUuid()).metadata()));

    try (KafkaInboxConsumer consumer = consumer("classic", false, InboxDatabase::effect).start()) {
      await().atMost(PATIENCE).until(() -> topic.committed(0) == 10);
      assertThat(consumer.causes()).isEmpty();
    }
    assertThat(database.effects()).isEqualTo(sent.subList(7, 10));
  }

  private List<Check> examined() {
    try (KafkaExamination kafka =
        KafkaExamination.open("kafka", topic.consumerProperties("classic"))) {
      return kafka.group(topic.name(), List.of(topic.name()), Duration.ofDays(7)).stream()
          .map(Finding::check)
          .filter(check -> check != null && check.name().startsWith("OFFSET_"))
          .toList();
    }
  }

  private void makeAnew() throws Exception {
    TestKafka.shared().admin().deleteTopics(List.of(topic.name())).all().get();
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () -> {
              TestKafka.shared().createTopic(topic.name(), 1);
              return true;
            });
  }

  private List<String> send(int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(topic.send(0, "k"));
    }
    return ids;
  }

  private Uuid id() throws Exception {
    return requireNonNull(
            TestKafka.shared()
                .admin()
                .describeTopics(List.of(topic.name()))
                .allTopicNames()
                .get()
                .get(topic.name()))
        .topicId();
  }

  private static String cluster() throws Exception {
    return TestKafka.shared().admin().describeCluster().clusterId().get();
  }

  private void commit(OffsetAndMetadata offset) throws Exception {
    TestKafka.shared()
        .admin()
        .alterConsumerGroupOffsets(
            topic.name(), Map.of(new TopicPartition(topic.name(), 0), offset))
        .all()
        .get();
  }

  private OffsetAndMetadata committed() throws Exception {
    return requireNonNull(
        TestKafka.shared()
            .admin()
            .listConsumerGroupOffsets(topic.name())
            .partitionsToOffsetAndMetadata()
            .get()
            .get(new TopicPartition(topic.name(), 0)));
  }

  private KafkaInboxConsumer consumer(String protocol, boolean mayOvertake, Handler handler) {
    Inbox.Builder inbox = database.inbox("billing");
    return KafkaInboxConsumer.builder()
        .development()
        .inbox((mayOvertake ? inbox.mayOvertake() : inbox).build())
        .handler(handler)
        .topics(topic.name())
        .properties(topic.consumerProperties(protocol))
        .batchSize(20)
        .build();
  }
}
