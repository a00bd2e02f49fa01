package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What listens for a commit cannot make it look like a failed one. */
final class WakeupsTest {
  @Test
  void whateverAListenerThrowsTheOthersAreWokenAndNothingLeaves() {
    Wakeups wakeups = new Wakeups();
    AtomicInteger woken = new AtomicInteger();
    wakeups.add(
        () -> {
          throw new IllegalStateException() {
            @Override
            public String getMessage() {
              throw new IllegalStateException("no message");
            }
          };
        });
    wakeups.add(
        () -> {
          throw new StackOverflowError("made up");
        });
    wakeups.add(
        () -> {
          throw new OutOfMemoryError("made up");
        });
    wakeups.add(woken::incrementAndGet);

    wakeups.wake();

    assertThat(woken).hasValue(1);
  }
}
