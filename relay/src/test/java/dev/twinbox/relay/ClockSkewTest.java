package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.ServerExamination;
import dev.twinbox.broker.doctor.Severity;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A machine whose clock is so far off that a broker refuses its time. */
@Timeout(120)
class ClockSkewTest {
  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);

  @AfterEach
  void close() {
    database.close();
  }

  @ParameterizedTest
  @CsvSource({
    "PT2H, DANGER, WARNING, ahead of",
    "PT-2H, DANGER, WARNING, behind",
    "PT13H, DANGER, DANGER, ahead of",
    "PT50M, WARNING, WARNING, ahead of",
  })
  void theDoctorCallsItADangerSoonerForWhoPublishesThanForWhoConsumes(
      Duration ahead, Severity relay, Severity consumer, String where) throws SQLException {
    ServerExamination examination = new ServerExamination(offBy(ahead), Duration.ofMinutes(10));

    Finding ofRelay = clock(examination.forPublishing());
    Finding ofConsumer = clock(examination);

    assertThat(ofRelay.severity()).isEqualTo(relay);
    assertThat(ofConsumer.severity()).isEqualTo(consumer);
    assertThat(ofRelay.value()).contains("this machine is", where + " the database");
    assertThat(ofRelay.remedy()).isNotBlank();
    assertThat(ofRelay.isRefused()).isEqualTo(relay == Severity.DANGER);
  }

  @Test
  void healthNamesItWhileNothingWaits() {
    MemoryBroker broker = new MemoryBroker();
    try (Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker)
            .clock(offBy(Duration.ofHours(2)))
            .build()
            .start()) {
      await()
          .untilAsserted(
              () ->
                  assertThat(relay.health().problems())
                      .anySatisfy(
                          said ->
                              assertThat(said).contains("The clock of this machine", "ahead of")));
      assertThat(relay.health().up()).isFalse();
    }
  }

  private Finding clock(ServerExamination examination) throws SQLException {
    List<Finding> findings;
    try (Connection connection = database.dataSource().getConnection()) {
      findings = examination.examine(connection);
    }
    return findings.stream()
        .filter(finding -> finding.check() == CommonCheck.CLOCK_SKEW)
        .findFirst()
        .orElseThrow();
  }

  private static InstantSource offBy(Duration difference) {
    return InstantSource.offset(InstantSource.system(), difference);
  }
}
