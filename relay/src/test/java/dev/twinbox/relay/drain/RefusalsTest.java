package dev.twinbox.relay.drain;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whose fault a refusal is: the message's, or its destination's. */
class RefusalsTest {
  private static final String QUEUE = "rabbitmq:/orders";

  private final AtomicLong now = new AtomicLong();
  private final Refusals refusals = new Refusals(now::get);

  @Test
  void oneThatIsRefusedAloneCannotBeToldApart() {
    for (int i = 0; i < 100; i++) {
      assertThat(refused(1)).isFalse();
    }
  }

  @Test
  void oneThatIsRefusedWhileOthersAreTakenAfterItIsAtFaultItself() {
    assertThat(refused(1)).isFalse();

    refusals.confirmed(QUEUE, 2);

    assertThat(refused(1)).isTrue();
    assertThat(refused(1)).as("without new evidence").isFalse();
    assertThat(refusals.tries(QUEUE, 1)).isEqualTo(3);
  }

  @Test
  void whatWasTakenBeforeOrElsewhereSaysNothing() {
    IntStream.range(10, 20).forEach(each -> refusals.confirmed(QUEUE, each));
    assertThat(refused(1)).isFalse();
    refusals.confirmed("rabbitmq:/other", 2);

    assertThat(refused(1)).isFalse();
  }

  @Test
  void aFullQueueThatTakesOneNowAndThenBlamesNobody() {
    int blamed = 0;
    for (int first = 0; first < 100; first++) {
      for (int round = 0; round < 3; round++) {
        for (int each = first; each < 100; each++) {
          blamed += refused(each) ? 1 : 0;
        }
      }
      refusals.confirmed(QUEUE, first);
    }

    assertThat(blamed).isZero();
  }

  @Test
  void theLastOneOfAFullQueueWaitsHoweverLong() {
    refused(1);
    refused(2);
    refusals.confirmed(QUEUE, 1);

    for (int i = 0; i < 100; i++) {
      assertThat(refused(2)).isFalse();
    }
  }

  @Test
  void whereSeveralWereRefusedOnceMoreEvidenceIsWantedForEachAttempt() {
    refused(1);
    refused(2);
    refusals.confirmed(QUEUE, 2);
    assertThat(refused(1)).isFalse();

    IntStream.range(10, 13).forEach(each -> refusals.confirmed(QUEUE, each));

    assertThat(refused(1)).isTrue();
    refusals.confirmed(QUEUE, 13);
    assertThat(refused(1)).isFalse();
    now.addAndGet(Duration.ofMinutes(11).toNanos());
    assertThat(refused(1)).isTrue();
  }

  @Test
  void twoThatAreAtFaultAreFoundAmongManyThatAreTaken() {
    refused(1);
    refused(2);
    IntStream.range(10, 20).forEach(each -> refusals.confirmed(QUEUE, each));

    assertThat(refused(1)).isTrue();
    assertThat(refused(2)).isTrue();
  }

  @Test
  void oneThatWasGivenUpDoesNotExcuseOthers() {
    refused(1);
    refusals.confirmed(QUEUE, 5);
    assertThat(refused(1)).isTrue();
    refusals.givenUp(QUEUE, 1);

    assertThat(refused(2)).isFalse();
    refusals.confirmed(QUEUE, 6);
    assertThat(refused(2)).isTrue();
  }

  @Test
  void severalAreRefusedAsLongAsNoneIsConfirmed() {
    refused(1);
    refused(1);
    refused(2);
    assertThat(refusals.refusesSeveral(QUEUE)).isFalse();
    refused(3);
    assertThat(refusals.refusesSeveral(QUEUE)).isTrue();

    refusals.confirmed(QUEUE, 2);

    assertThat(refusals.refusesSeveral(QUEUE)).isFalse();
  }

  private boolean refused(long position) {
    return refusals.isOwnFault(QUEUE, position);
  }
}
