package dev.twinbox.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Outcomes are told whatever a listener does. */
@Timeout(60)
class OutcomeQueueTest {
  private final OutcomeQueue outcomes = new OutcomeQueue();
  private final List<UUID> told = new ArrayList<>();

  @ParameterizedTest
  @ValueSource(classes = {IllegalStateException.class, OutOfMemoryError.class, Exception.class})
  void aListenerThatThrowsKeepsNobodyFromHearing(Class<? extends Throwable> kind) throws Exception {
    Throwable thrown = kind.getDeclaredConstructor().newInstance();
    PendingRecord first = pending((record, outcome) -> sneaky(thrown));
    PendingRecord second = pending((record, outcome) -> told.add(record.id()));

    outcomes.lock();
    outcomes.settle(first, Outcome.PUBLISHED);
    outcomes.settle(second, Outcome.PUBLISHED);
    outcomes.unlock();

    assertThat(told).containsExactly(second.record().id());
    // Neither the lock nor the telling is left with somebody.
    PendingRecord third = pending((record, outcome) -> told.add(record.id()));
    Thread other =
        new Thread(
            () -> {
              outcomes.lock();
              outcomes.settle(third, Outcome.PUBLISHED);
              outcomes.unlockWhenTold();
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

  private static PendingRecord pending(OutcomeListener listener) {
    OutboxRecord record =
        new OutboxRecord(
            3,
            1,
            UUID.randomUUID(),
            Instant.EPOCH,
            null,
            "kafka:orders",
            "k",
            "order.placed",
            null,
            List.of(),
            null);
    return new PendingRecord(record, listener) {};
  }
}
