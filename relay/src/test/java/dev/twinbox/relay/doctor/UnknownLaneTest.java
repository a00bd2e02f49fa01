package dev.twinbox.relay.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rows that no relay reads, since somebody inserted them with the number of no lane. */
class UnknownLaneTest {
  private final UnsafeDatabase database = UnsafeDatabase.with().waiting("kafka:orders", "k");

  @Test
  void theyAreNamedWithARemedyAndKeepNoRelayFromStarting() {
    insert(99, 3);
    insert(4711, 1_200);

    Diagnosis diagnosis = database.outbox();

    List<Finding> findings = unknownLanes(diagnosis);
    assertThat(findings).extracting(Finding::subject).containsExactly("lane 99", "lane 4711");
    assertThat(findings.get(0).value()).contains("3 rows", "\"twinbox\".outbox");
    assertThat(findings.get(1).value()).contains("at least 1000 rows");
    assertThat(findings.get(0).risk()).contains("never published");
    assertThat(diagnosis.exitCode()).isEqualTo(2);
    assertThat(findings).noneMatch(Finding::isRefused);
    findings.forEach(
        finding -> database.execute(finding.remedy().replaceAll(".*: (?=delete)", "")));
    assertThat(unknownLanes(database.outbox())).isEmpty();
    assertThat(database.text("select count(*) from twinbox.outbox")).isEqualTo("1");
  }

  @Test
  void theRelaysRoleMayLook() {
    insert(99, 1);

    assertThat(
            unknownLanes(
                new Doctor().outbox(database.relay(), UnsafeDatabase.TABLES).examine(List.of())))
        .hasSize(1);
  }

  @Test
  void lanesOfAllBrokersAreKnown() {
    for (int lane = 0; lane < 8; lane++) {
      insert(lane, 1);
    }

    assertThat(unknownLanes(database.outbox())).isEmpty();
  }

  private void insert(int lane, int rows) {
    database.execute(
        "insert into twinbox.outbox (lane, id, destination, type) select %s, gen_random_uuid(),"
                .formatted(lane)
            + " 'kafka:orders', 'test' from generate_series(1, %s)".formatted(rows));
  }

  private static List<Finding> unknownLanes(Diagnosis diagnosis) {
    return diagnosis.findings().stream()
        .filter(finding -> finding.check() == CommonCheck.LANE_UNKNOWN)
        .toList();
  }
}
