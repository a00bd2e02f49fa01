package dev.twinbox.examples.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.examples.soak.Schedule.Step;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleTest {
  private static final Duration MINUTE = Duration.ofSeconds(60);

  @Test
  void theSameSeedMakesTheSameSchedule() {
    List<FaultKind> kinds = SoakBrokerChoice.RABBITMQ.faults();

    assertThat(Schedule.of(7, MINUTE, kinds)).isEqualTo(Schedule.of(7, MINUTE, kinds));
    assertThat(Schedule.of(8, MINUTE, kinds)).isNotEqualTo(Schedule.of(7, MINUTE, kinds));
  }

  @ParameterizedTest
  @EnumSource(SoakBrokerChoice.class)
  void aMinuteHasAtLeastTwoFaultsOfEachKindThatFitsAndTwentyInAll(SoakBrokerChoice broker) {
    List<FaultKind> kinds = broker.faults();
    List<Step> steps = Schedule.of(1, MINUTE, kinds).steps();

    assertThat(steps).hasSizeGreaterThanOrEqualTo(20);
    for (FaultKind kind : kinds) {
      assertThat(steps).filteredOn(step -> step.kind() == kind).hasSizeGreaterThanOrEqualTo(2);
    }
    assertThat(kinds).containsAll(steps.stream().map(Step::kind).toList());
  }

  @Test
  void faultsComeOneAfterTheOtherWithinTheTime() {
    List<Step> steps =
        Schedule.of(3, Duration.ofMinutes(10), SoakBrokerChoice.KAFKA.faults()).steps();

    assertThat(steps).isSortedAccordingTo((a, b) -> a.after().compareTo(b.after()));
    assertThat(steps.get(steps.size() - 1).after()).isLessThan(Duration.ofMinutes(10));
    assertThat(steps)
        .extracting(Step::number)
        .containsExactlyElementsOf(IntStream.rangeClosed(1, steps.size()).boxed().toList());
  }

  @Test
  void pausesOfARelayAreBothShorterAndLongerThanItsLease() {
    List<Step> steps =
        Schedule.of(1, Duration.ofMinutes(5), List.of(FaultKind.PAUSE_RELAY)).steps();

    assertThat(steps).anyMatch(step -> step.hold().compareTo(Duration.ofSeconds(3)) > 0);
    assertThat(steps).anyMatch(step -> step.hold().compareTo(Duration.ofMillis(1_500)) < 0);
  }

  @Test
  void withoutKindsNothingHappens() {
    assertThat(Schedule.of(1, MINUTE, List.of()).steps()).isEmpty();
  }
}
