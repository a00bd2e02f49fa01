package dev.twinbox.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is taken while the database is slow to say what deliveries are judged by. */
class LookaheadTest {
  private final Delivery one = Messages.delivery();
  private final Delivery two = Messages.delivery();
  private final Deque<Delivery> inHand = new ArrayDeque<>(List.of(one, two));

  @Test
  void anOldRegistrationThatWasGivenOutStillServesForOneDelivery() {
    Lookahead lookahead = judgingBy(registered(Duration.ofMinutes(1)));

    CheckedDelivery first = lookahead.take();

    assertThat(first).isNotNull();
    assertThat(first.delivery()).isSameAs(one);
    assertThat(lookahead.takeIfPlain()).isNull();
    assertThat(lookahead.take()).isNull();
    assertThat(inHand).containsExactly(two);
  }

  @Test
  void aFreshRegistrationServesForAll() {
    Lookahead lookahead = judgingBy(registered(Duration.ZERO));

    assertThat(lookahead.take()).isNotNull();
    assertThat(lookahead.takeIfPlain()).isNotNull();
    assertThat(lookahead.take()).isNull();
  }

  private Lookahead judgingBy(Registration registration) {
    return new Lookahead(
        new DeliverySource() {
          @Override
          public @Nullable Delivery next() {
            return inHand.poll();
          }

          @Override
          public void received(Receipt receipt) {
            throw new IllegalStateException("Nothing is received here");
          }
        },
        new Admission(Set.of()),
        registration);
  }

  private static Registration registered(Duration ago) {
    long now = System.currentTimeMillis();
    return new Registration(
        1, 0, 0, 0, Duration.ofDays(7).toMillis(), now, System.nanoTime() - ago.toNanos());
  }
}
