package dev.twinbox.relay.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The threads that Quartz runs lanes on. */
@Timeout(60)
class LaneThreadsTest {
  private final LaneThreads threads = new LaneThreads();

  @AfterEach
  void close() {
    threads.shutdown(/* waitForJobsToComplete= */ false);
  }

  @Test
  void aJobThatEndsWithAnErrorTakesNoRoomAndTheNextOneRuns() throws InterruptedException {
    for (int i = 0; i < 20; i++) {
      assertThat(
              threads.runInThread(
                  () -> {
                    throw new StackOverflowError("made up");
                  }))
          .isTrue();
    }
    await().until(() -> threads.getPoolSize() == 1);
    CountDownLatch ran = new CountDownLatch(1);

    assertThat(threads.runInThread(ran::countDown)).isTrue();

    assertThat(ran.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aJobThatWaitsKeepsNoOtherFromRunning() throws InterruptedException {
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch all = new CountDownLatch(50);
    for (int i = 0; i < 50; i++) {
      threads.runInThread(
          () -> {
            all.countDown();
            awaitUninterrupted(release);
          });
    }
    assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
    release.countDown();
  }

  @Test
  void afterTheStopNothingIsTaken() {
    threads.shutdown(/* waitForJobsToComplete= */ false);

    assertThat(threads.runInThread(() -> {})).isFalse();
    assertThat(threads.getPoolSize()).isEqualTo(1);
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
