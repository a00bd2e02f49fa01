package dev.twinbox.rocketmq.doctor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.SourceLag;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Severity;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.Records;
import dev.twinbox.rocketmq.publisher.RocketBroker;
import dev.twinbox.testkit.TestRocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The checks against a real broker, which is alone, and so not safe. */
class RocketExaminationTest {
  private final TestRocket rocket = TestRocket.shared();
  private RocketBroker broker;
  private BrokerExamination examination;

  @BeforeEach
  void examine() {
    broker = RocketBroker.named("rocketmq").nameServers(rocket.nameServer()).build();
    examination = broker.examine();
  }

  @AfterEach
  void close() {
    examination.close();
    broker.close();
  }

  @Test
  void theClusterAnswers() {
    assertThat(examination.broker()).extracting(Finding::severity).containsExactly(Severity.OK);
  }

  @Test
  void aLoneMasterIsRefused() {
    rocket.createTopic("examined", 4, Map.of("message.type", "FIFO"));

    List<Finding> found = examination.destination("rocketmq:examined/placed", false);

    assertThat(found)
        .filteredOn(Finding::isRefused)
        .extracting(Finding::code, Finding::value)
        .containsExactly(
            org.assertj.core.api.Assertions.tuple("replication-async", "brokerRole=ASYNC_MASTER"));
    assertThat(found).extracting(Finding::code).doesNotContain("topic-not-fifo");
  }

  @Test
  void aTopicThatIsMissingOrOfAnotherTypeIsFound() {
    rocket.createTopic("later", 4, Map.of("message.type", "DELAY"));
    rocket.createTopic("plain", 4);

    assertThat(examination.destination("rocketmq:nowhere", false))
        .extracting(Finding::code)
        .containsExactly("topic-unknown");
    assertThat(examination.destination("rocketmq:later", false))
        .filteredOn(Finding::isRefused)
        .extracting(Finding::code)
        .contains("topic-type");
    assertThat(examination.consumed("group", List.of("plain"), Duration.ofDays(1)))
        .extracting(Finding::code)
        .contains("topic-not-fifo", "reserved-beyond-horizon");
  }

  @Test
  void whatDoesNotAnswerIsUnknown() {
    rocket.nameServerProxy().refuse();
    rocket.nameServerProxy().cut();
    try {
      assertThat(examination.broker())
          .extracting(Finding::check)
          .containsExactly(CommonCheck.BROKER_UNREACHABLE);
      assertThat(broker.lag("group", List.of("orders")).get(0).error()).isNotNull();
    } finally {
      rocket.nameServerProxy().restore();
    }
  }

  @Test
  void aGroupThatNeverReadIsBehindByAll() {
    rocket.createTopic("lagging", 2);
    Outcomes outcomes = new Outcomes();
    var records =
        List.of(
            Records.record("rocketmq:lagging", "a", "1".getBytes(UTF_8)),
            Records.record("rocketmq:lagging", "b", "2".getBytes(UTF_8)));
    try (Publisher publisher = broker.open(0)) {
      records.forEach(record -> publisher.publish(record, outcomes));
      outcomes.expectPublished(records);
    }

    SourceLag lag = broker.lag("nobody", List.of("lagging")).get(0);

    assertThat(lag.error()).isNull();
    assertThat(lag.lag()).isEqualTo(2);
    assertThat(lag.consumers()).isZero();
    assertThat(lag.partitions()).hasSize(2);
  }
}
