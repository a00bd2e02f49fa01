package dev.twinbox.benchmarks.figures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
class FiguresTest {
  private final Report report = new Report();

  @Test
  void aMedianIsTheMiddleAndComesWithItsSpread() {
    assertThat(Spread.of(List.of(3.0, 1.0, 2.0))).isEqualTo(new Spread(2, 1, 3));
    assertThat(Spread.of(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(new Spread(2.5, 1, 4));
  }

  @Test
  void aGoalIsMetByTheMedian() {
    report.of(Figure.IDLE_CPU_PERCENT).value(0.5).value(0.9).value(7);
    report.of(Figure.HELD_XMIN_RATIO).value(0.5).value(0.9).value(7);
    report.of(Figure.BACKLOG_LARGE_VS_SMALL).value(1.06);
    report.of(Figure.RELAYS_2_VS_1).value(1.2);

    assertThat(at(Figure.IDLE_CPU_PERCENT).path("met").asBoolean()).isTrue();
    assertThat(at(Figure.HELD_XMIN_RATIO).path("met").asBoolean(true)).isFalse();
    assertThat(at(Figure.BACKLOG_LARGE_VS_SMALL).path("met").asBoolean(true)).isFalse();
    assertThat(at(Figure.RELAYS_2_VS_1).path("met").isNull()).isTrue();
  }

  @Test
  void aReportHasEveryFigureFromTheBeginningAndSaysWhyOneIsMissing() {
    report.of(Figure.HELD_XMIN_RATIO).fail("PostgreSQL was not there");

    assertThat(at(Figure.HELD_XMIN_RATIO).path("median").isNull()).isTrue();
    assertThat(at(Figure.HELD_XMIN_RATIO).path("reason").asText())
        .isEqualTo("PostgreSQL was not there");
    assertThat(at(Figure.RELAYS_2_VS_1).path("reason").asText()).isEqualTo("not asked for");
    assertThat(report.isComplete(Set.of(Figure.HELD_XMIN_RATIO))).isFalse();
    assertThat(Report.markdown(report.json())).contains("PostgreSQL was not there");
  }

  @Test
  void aFigureOfSeveralPartsHasThemUnderTheirNames() {
    report.of(Figure.DRAIN_RABBITMQ_BY_KEYS).part("100").value(12_345);

    assertThat(at(Figure.DRAIN_RABBITMQ_BY_KEYS).path("100").path("median").asDouble())
        .isEqualTo(12_345);
    assertThat(Report.table(report.json())).contains("drain_rabbitmq_by_keys.100", "12,345");
    assertThat(report.isComplete(Set.of(Figure.DRAIN_RABBITMQ_BY_KEYS))).isTrue();
  }

  @Test
  void whatIsNoNumberIsRefused() {
    assertThatThrownBy(() -> report.of(Figure.RELAYS_2_VS_1).value(1.0 / 0))
        .hasMessageContaining("relays_2_vs_1");
  }

  private JsonNode at(Figure figure) {
    return report.json().path(figure.field());
  }
}
