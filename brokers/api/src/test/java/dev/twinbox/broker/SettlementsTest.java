package dev.twinbox.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Outcomes are told whatever a listener does. */
@Timeout(60)
class SettlementsTest {
  private final Settlements settlements = new Settlements();
  private final List<UUID> told = new ArrayList<>();

  @ParameterizedTest
  @ValueSource(classes = {IllegalStateException.class, OutOfMemoryError.class, Exception.class})
  void aListenerThatThrowsKeepsNobodyFromHearing(Class<? extends Throwable> kind) throws Exception {
    Throwable thrown = kind.getDeclaredConstructor().newInstance();
    Handover first = handover((record, outcome) -> sneaky(thrown));
    Handover second = handover((record, outcome) -> told.add(record.id()));

    settlements.lock();
    settlements.settle(first, Outcome.PUBLISHED);
    settlements.settle(second, Outcome.PUBLISHED);
    settlements.unlock();

    assertThat(told).containsExactly(second.record().id());
    // Neither the lock nor the telling is left with somebody.
    Handover third = handover((record, outcome) -> told.add(record.id()));
    Thread other =
        new Thread(
            () -> {
              settlements.lock();
              settlements.settle(third, Outcome.PUBLISHED);
              settlements.unlockWhenTold();
            });
    other.start();
    other.join(Duration.ofSeconds(30).toMillis());
    assertThat(told).containsExactly(second.record().id(), third.record().id());
  }

  @Test
  void workThatHasNoThreadIsDoneLater() {
    assertThat(Supervision.run("nothing", () -> {})).isTrue();
    assertThat(Supervision.run("an error", () -> sneaky(new StackOverflowError()))).isFalse();
    Supervision.repeated("an error", () -> sneaky(new OutOfMemoryError("heap"))).run();
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneaky(Throwable thrown) throws T {
    throw (T) thrown;
  }

  private static Handover handover(OutcomeListener listener) {
    return new Handover(Records.record("kafka:orders", "k", "p"), listener) {};
  }
}
