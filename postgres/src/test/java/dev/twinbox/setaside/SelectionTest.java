package dev.twinbox.setaside;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
class SelectionTest {
  @Test
  void itsTextNamesEachConditionForTheAudit() {
    assertThat(Selection.all()).hasToString("all");
    assertThat(
            Selection.number(7)
                .ids(List.of("a", "b"))
                .destination("kafka:orders")
                .before(Instant.EPOCH)
                .limit(1234))
        .hasToString(
            "number = [7], id = [a, b], destination = kafka:orders, before = 1970-01-01T00:00:00Z,"
                + " limit = 1234");
    assertThat(Selection.all().numbers(LongStream.range(0, 150).boxed().toList()).toString())
        .endsWith("99] and 50 more");
  }

  @Test
  void everythingIsWhatLeavesNothingOut() {
    assertThat(Selection.all().discarded().isEverything()).isTrue();
    assertThat(Selection.all().ids(List.of()).isEverything()).isTrue();
    assertThat(Selection.all().limit(1).isEverything()).isFalse();
    assertThat(Selection.all().key("k").isEverything()).isFalse();
  }

  @Test
  void wrongValuesAreRefused() {
    assertThatThrownBy(() -> Selection.all().limit(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("limit is 0");
    assertThatThrownBy(() -> Selection.all().with(Filter.FROM, "today"))
        .isInstanceOf(ClassCastException.class);
    assertThatThrownBy(() -> Act.by(" ")).hasMessageContaining("name who does this");
    assertThatThrownBy(() -> Act.by("ann").perSecond(0)).hasMessageContaining("perSecond is 0.0");
    assertThatThrownBy(() -> Act.by("ann").timeToLive(Duration.ZERO))
        .hasMessageContaining("timeToLive is PT0S");
  }
}
