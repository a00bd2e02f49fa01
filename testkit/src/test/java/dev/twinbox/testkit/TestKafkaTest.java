package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Test;

class TestKafkaTest {
  private static final Map<String, String> TWO_IN_SYNC = Map.of("min.insync.replicas", "2");

  @Test
  void aTopicIsReadToItsEnd() throws Exception {
    TestKafka kafka = TestKafka.shared();
    kafka.createTopic("all", 3);
    KafkaWriter.write(kafka, "all", 1, 1000);

    assertThat(kafka.records("all")).hasSize(1000);
    assertThat(kafka.records("all").stream().filter(r -> r.partition() == 0).map(r -> r.offset()))
        .isSorted();
    assertThat(TestKafka.shared()).isSameAs(kafka);
  }

  @Test
  void topicsAreNotCreatedUnasked() {
    assertThatThrownBy(
            () -> TestKafka.shared().admin().describeTopics(List.of("none")).allTopicNames().get())
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(UnknownTopicOrPartitionException.class);
  }

  @Test
  void aBrokerTakesSettings() throws Exception {
    try (TestKafka kafka = TestKafka.start(1, Map.of("message.max.bytes", "12345"))) {
      ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "0");
      Collection<Config> settings =
          kafka.admin().describeConfigs(List.of(broker)).all().get().values();
      assertThat(settings)
          .extracting(c -> c.get("message.max.bytes").value())
          .containsExactly("12345");
    }
  }

  @Test
  void theOnlyBrokerComesBackWithItsRecords() throws Exception {
    try (TestKafka kafka = TestKafka.start()) {
      kafka.createTopic("kept", 1);
      KafkaWriter.write(kafka, "kept", 1, 10);

      kafka.stopBroker(0);
      assertThatThrownBy(() -> KafkaWriter.write(kafka, "kept", 11, 11))
          .hasCauseInstanceOf(TimeoutException.class);
      kafka.startBroker(0);
      KafkaWriter.write(kafka, "kept", 11, 20);

      assertThat(kafka.records("kept")).hasSize(20);
    }
  }

  @Test
  void threeBrokersSurviveTheStopOfOneButNotOfTwo() throws Exception {
    try (TestKafka kafka = TestKafka.start(3)) {
      kafka.createTopic("replicated", 1, 3, TWO_IN_SYNC);

      kafka.stopBroker(0);
      KafkaWriter.write(kafka, "replicated", 1, 10);
      kafka.stopBroker(1);
      assertThatThrownBy(() -> KafkaWriter.write(kafka, "replicated", 11, 11))
          .isInstanceOf(ExecutionException.class);
      kafka.startBroker(1);
      KafkaWriter.write(kafka, "replicated", 12, 20);

      assertThat(KafkaWriter.values(kafka, "replicated")).contains(10, 12, 20);
    }
  }
}
