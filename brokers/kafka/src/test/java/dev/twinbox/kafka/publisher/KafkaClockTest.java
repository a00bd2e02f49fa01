package dev.twinbox.kafka.publisher;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** The clock that rests while nothing waits. */
class KafkaClockTest {
  private static final Duration RESTING = Duration.ofHours(1);

  private final AtomicInteger ticks = new AtomicInteger();
  private final AtomicBoolean waits = new AtomicBoolean();

  @Test
  void ticksWhileSomethingWaits() {
    waits.set(true);
    try (KafkaClock clock = clock(RESTING)) {
      await().until(() -> ticks.get() > 20);
      assertThat(clock.isClosed()).isFalse();
    }
  }

  @Test
  void restsWhenNothingWaitsAndIsWokenByWhatDoes() {
    try (KafkaClock clock = clock(RESTING)) {
      rests();

      waits.set(true);
      clock.waken();
      await().until(() -> ticks.get() > 20);

      waits.set(false);
      rests();
    }
  }

  @Test
  void goesOnAfterAnErrorAndAnInterrupt() {
    AtomicReference<Thread> own = new AtomicReference<>();
    try (KafkaClock clock =
        new KafkaClock(
            "clock",
            Duration.ofMillis(20),
            () -> {
              own.set(Thread.currentThread());
              if (ticks.incrementAndGet() % 3 == 0) {
                throw new OutOfMemoryError("unable to create native thread");
              }
              return waits.get();
            })) {
      await().until(() -> ticks.get() > 10);

      Thread clocks = requireNonNull(own.get());
      clocks.interrupt();

      int before = ticks.get();
      await().until(() -> ticks.get() > before + 10 && !clocks.isInterrupted());
      assertThat(clocks.isAlive()).isTrue();
      assertThat(clock.isClosed()).isFalse();
    }
  }

  @Test
  void looksAgainNowAndThenWhileItRests() {
    try (KafkaClock clock = clock(Duration.ofMillis(50))) {
      await().until(() -> ticks.get() > 10);
      assertThat(clock.isClosed()).isFalse();
    }
  }

  @Test
  void whatBeginsToWaitDuringALookIsNotForgotten() throws InterruptedException {
    CountDownLatch looked = new CountDownLatch(1);
    CountDownLatch began = new CountDownLatch(1);
    AtomicInteger looks = new AtomicInteger();
    try (KafkaClock clock =
        new KafkaClock(
            "clock",
            RESTING,
            () -> {
              boolean before = waits.get();
              if (looks.incrementAndGet() == 1) {
                looked.countDown();
                awaitUninterrupted(began);
              }
              return before;
            })) {
      assertThat(looked.await(20, TimeUnit.SECONDS)).isTrue();
      // The clock has seen that nothing waits, and has not yet lain down.
      waits.set(true);
      clock.waken();
      began.countDown();

      await().until(() -> looks.get() > 20);
    }
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** No tick for so long that an awake clock would have ticked many times. */
  private void rests() {
    await()
        .until(
            () -> {
              int before = ticks.get();
              TimeUnit.MILLISECONDS.sleep(300);
              return ticks.get() == before && before > 0;
            });
  }

  private KafkaClock clock(Duration resting) {
    return new KafkaClock(
        "clock",
        resting,
        () -> {
          ticks.incrementAndGet();
          return waits.get();
        });
  }
}
