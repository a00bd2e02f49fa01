package dev.twinbox.relay.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.Records;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every message gets an outcome, whatever the publisher behind and the listeners throw. */
@Timeout(20)
class GuardedPublisherTest {
  private static final String FAILING = "kafka:failing";

  private final Outcomes outcomes = new Outcomes();
  private final CountDownLatch mayLook = new CountDownLatch(1);
  private final AtomicBoolean behindIsClosed = new AtomicBoolean();
  private final DestinationGuard guard = new DestinationGuard("kafka", SafeExamination::new);
  private final Publisher publisher = new GuardedPublisher(new FailingPublisher(), guard);

  @AfterEach
  void close() {
    mayLook.countDown();
    guard.close();
  }

  @Test
  void aMessageOverWhichThePublisherFailsOnTheGuardsThreadIsUnknownLikeThoseBehindIt() {
    OutboxRecord before = Records.record("kafka:t", "k", "1");
    OutboxRecord culprit = Records.record(FAILING, "k", "2");
    OutboxRecord behind = Records.record("kafka:t", "k", "3");
    List.of(before, culprit, behind).forEach(record -> publisher.publish(record, outcomes));

    mayLook.countDown();

    outcomes.expectPublished(List.of(before));
    assertThat(outcomes.of(culprit)).isInstanceOf(Outcome.Unknown.class);
    assertThat(outcomes.of(behind)).isInstanceOf(Outcome.Unknown.class);
    OutboxRecord late = Records.record("kafka:t", "k", "4");
    publisher.publish(late, outcomes);
    assertThat(outcomes.now(late)).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void theGuardGoesOnForOthersAfterAPublisherFailed() {
    publisher.publish(Records.record(FAILING, "k", "1"), outcomes);
    mayLook.countDown();
    OutboxRecord other = Records.record("kafka:other", "k", "2");

    new GuardedPublisher(new FailingPublisher(), guard).publish(other, outcomes);

    outcomes.expectPublished(List.of(other));
  }

  @Test
  void aPublisherThatFailsOnTheLanesThreadIsNoSecret() {
    mayLook.countDown();
    OutboxRecord first = Records.record(FAILING, "k", "1");
    publisher.publish(first, outcomes);
    assertThat(outcomes.of(first)).isInstanceOf(Outcome.Unknown.class);
    OutboxRecord known = Records.record(FAILING, "k", "2");

    assertThatThrownBy(
            () -> new GuardedPublisher(new FailingPublisher(), guard).publish(known, outcomes))
        .isInstanceOf(StackOverflowError.class);

    assertThat(outcomes.now(known)).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void aListenerThatThrowsKeepsNeitherTheOthersFromHearingNorThePublisherFromBeingClosed() {
    OutcomeListener throwing =
        (record, outcome) -> {
          throw new StackOverflowError("made up");
        };
    OutboxRecord other = Records.record("kafka:t", "k", "2");
    publisher.publish(Records.record("kafka:t", "k", "1"), throwing);
    publisher.publish(other, outcomes);

    publisher.close();

    assertThat(outcomes.now(other)).isInstanceOf(Outcome.Unknown.class);
    assertThat(behindIsClosed).isTrue();
  }

  /** Publishes at once, but what goes to {@link #FAILING}. */
  private final class FailingPublisher implements Publisher {
    @Override
    public void publish(OutboxRecord record, OutcomeListener listener) {
      if (record.destination().equals(FAILING)) {
        throw new StackOverflowError("made up");
      }
      listener.settled(record, Outcome.PUBLISHED);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
      behindIsClosed.set(true);
    }
  }

  /** Finds nothing wrong, once it may look. */
  private final class SafeExamination implements BrokerExamination {
    @Override
    public List<Finding> broker() {
      return List.of();
    }

    @Override
    public List<Finding> destination(String destination, boolean keyless) {
      try {
        mayLook.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return List.of();
    }

    @Override
    public List<Finding> consumed(String group, Collection<String> topics, Duration horizon) {
      return List.of();
    }

    @Override
    public void close() {}
  }
}
