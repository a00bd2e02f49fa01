package dev.twinbox.rocketmq.publisher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.Publisher;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.Records;
import dev.twinbox.testkit.TestRocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.rocketmq.common.message.MessageExt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A master with a slave, and what becomes of messages when one of them dies. */
class RocketFailureTest {
  private static TestRocket rocket;

  @BeforeAll
  static void start() {
    rocket = TestRocket.withSlave(Map.of("slaveTimeout", "3000"));
  }

  @AfterAll
  static void stop() {
    rocket.close();
  }

  @Test
  void whatTheSlaveDoesNotHaveIsNotPublishedUntilItIsBack() {
    String topic = newTopic();
    OutboxRecord record = Records.record("rocketmq:" + topic, "k", "one");
    try (Broker broker = broker()) {
      rocket.kill(1);
      assertThat(publish(broker, record)).isInstanceOf(Outcome.Unknown.class);
      assertThat(rocket.read(topic)).hasSize(1);

      rocket.startBroker(1);
      assertThat(publish(broker, record)).isEqualTo(Outcome.PUBLISHED);
    }
    assertThat(rocket.read(topic))
        .extracting(MessageExt::getKeys)
        .containsOnly(record.id().toString());
  }

  @Test
  void aTopicWhoseMasterIsDeadIsNotTakenForMissing() {
    String topic = newTopic();
    try (Broker broker = broker()) {
      assertThat(publish(broker, Records.record("rocketmq:" + topic, "k", "before")))
          .isEqualTo(Outcome.PUBLISHED);
      rocket.kill(0);
      Outcome during = Outcome.PUBLISHED;
      for (int i = 0; i < 3; i++) {
        during = publish(broker, Records.record("rocketmq:" + topic, "k", "during"));
        assertThat(during).isNotEqualTo(Outcome.PUBLISHED);
      }
      assertThat(during)
          .isInstanceOfSatisfying(
              Outcome.Unavailable.class,
              is -> assertThat(is.reason()).isIn(Reason.UNREACHABLE, Reason.NO_LEADER));

      rocket.startBroker(0);
      OutboxRecord after = Records.record("rocketmq:" + topic, "k", "after");
      assertThat(publishUntilKnown(broker, after)).isEqualTo(Outcome.PUBLISHED);
    }
  }

  @Test
  void whatWasConfirmedBeforeAKillIsThereAfterIt() {
    String topic = newTopic();
    Outcomes outcomes = new Outcomes();
    List<OutboxRecord> records =
        IntStream.range(0, 200)
            .mapToObj(i -> Records.record("rocketmq:" + topic, "k" + i % 10, "payload " + i))
            .toList();
    try (Broker broker = broker();
        Publisher publisher = broker.open(1)) {
      records.subList(0, 100).forEach(record -> publisher.publish(record, outcomes));
      outcomes.expectPublished(records.subList(0, 100));
      records.subList(100, 200).forEach(record -> publisher.publish(record, outcomes));
      rocket.kill(0);
      records.forEach(outcomes::of);
    } finally {
      rocket.startBroker(0);
    }
    List<String> published =
        records.stream()
            .filter(record -> outcomes.now(record) instanceof Outcome.Published)
            .map(record -> record.id().toString())
            .toList();
    assertThat(rocket.read(topic)).extracting(MessageExt::getKeys).containsAll(published);
  }

  private static Outcome publish(Broker broker, OutboxRecord record) {
    Outcomes outcomes = new Outcomes();
    try (Publisher publisher = broker.open(1)) {
      publisher.publish(record, outcomes);
      return outcomes.of(record);
    }
  }

  private static Outcome publishUntilKnown(Broker broker, OutboxRecord record) {
    Outcome outcome = publish(broker, record);
    for (int i = 0; i < 30 && !(outcome instanceof Outcome.Published); i++) {
      outcome = publish(broker, record);
    }
    return outcome;
  }

  private static Broker broker() {
    return RocketBroker.named("rocketmq")
        .nameServers(rocket.nameServer())
        .lookTimeout(Duration.ofSeconds(20))
        .confirmTimeout(Duration.ofSeconds(20))
        .build();
  }

  private static String newTopic() {
    String topic = "topic-" + UUID.randomUUID();
    rocket.createTopic(topic, 4);
    return topic;
  }
}
