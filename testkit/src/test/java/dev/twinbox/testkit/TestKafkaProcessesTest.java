package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TestKafkaProcessesTest {
  private static TestKafkaProcesses kafka;

  @BeforeAll
  static void start() {
    kafka = TestKafkaProcesses.start(2);
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  @Test
  void aKilledBrokerComesBackWithItsAcknowledgedRecords() throws Exception {
    kafka.createTopic("kept", 1, 2, Map.of());
    KafkaWriter.write(kafka, "kept", 1, 10);

    kafka.kill(0);
    KafkaWriter.write(kafka, "kept", 11, 20);
    kafka.startBroker(0);

    assertThat(KafkaWriter.values(kafka, "kept")).contains(1, 10, 11, 20);
  }

  @Test
  void pausedBrokersAcknowledgeNothingUntilTheyAreResumed() throws Exception {
    kafka.createTopic("paused", 1);
    KafkaWriter.write(kafka, "paused", 1, 10);

    kafka.pause(0);
    kafka.pause(1);
    assertThatThrownBy(() -> KafkaWriter.write(kafka, "paused", 11, 11))
        .isInstanceOf(ExecutionException.class);
    kafka.resume(0);
    kafka.resume(1);
    KafkaWriter.write(kafka, "paused", 12, 20);

    assertThat(KafkaWriter.values(kafka, "paused")).contains(10, 12, 20);
  }
}
