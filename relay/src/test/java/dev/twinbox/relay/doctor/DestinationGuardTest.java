package dev.twinbox.relay.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.Records;
import dev.twinbox.kafka.doctor.KafkaCheck;
import dev.twinbox.relay.MemoryBroker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a publisher does while the guard looks, refuses, and allows. */
class DestinationGuardTest {
  private static final Finding UNSAFE =
      Finding.danger(
          KafkaCheck.REPLICATION_FACTOR, "kafka:unsafe", "replication factor 1", "Raise it.");
  private static final Finding AWAY =
      Finding.unknown(CommonCheck.BROKER_UNREACHABLE, "kafka", "no answer", "Start it.");
  private static final DestinationGuard.Periods SHORT =
      new DestinationGuard.Periods(
          Duration.ofMillis(20),
          Duration.ofMillis(20),
          Duration.ofMillis(20),
          Duration.ofMillis(5));

  private final Map<String, Finding> findings = new ConcurrentHashMap<>();
  private final Map<String, Finding> unread = new ConcurrentHashMap<>();
  private final Map<String, Throwable> failures = new ConcurrentHashMap<>();
  private volatile @Nullable RuntimeException closing;
  private final AtomicInteger looks = new AtomicInteger();
  private final MemoryBroker broker = new MemoryBroker();
  private final Outcomes outcomes = new Outcomes();
  private volatile CountDownLatch mayLook = new CountDownLatch(0);
  private final DestinationGuard guard = new DestinationGuard("kafka", FakeExamination::new, SHORT);

  @AfterEach
  void close() {
    mayLook.countDown();
    guard.close();
    broker.close();
  }

  @Test
  void whatFollowsAFirstLookWaitsForItAndGoesOutInOrder() {
    mayLook = new CountDownLatch(1);
    List<OutboxRecord> records = new ArrayList<>();
    IntStream.range(0, 200)
        .forEach(i -> records.add(Records.record("kafka:t" + i % 3, "k" + i % 5, "p" + i)));
    try (Publisher publisher = open()) {
      records.forEach(record -> publisher.publish(record, outcomes));
      publisher.flush();
      assertThat(broker.count()).isZero();

      mayLook.countDown();

      outcomes.expectPublished(records);
      assertThat(broker.kept()).containsExactlyElementsOf(records);
    }
  }

  @Test
  void anUnsafeDestinationIsUnavailableAndNothingBehindItIsSent() {
    findings.put("kafka:unsafe", UNSAFE);
    OutboxRecord before = Records.record("kafka:safe", "k", "1");
    OutboxRecord unsafe = Records.record("kafka:unsafe", "k", "2");
    OutboxRecord after = Records.record("kafka:safe", "k", "3");
    OutboxRecord unsafeToo = Records.record("kafka:unsafe", "other", "4");
    try (Publisher publisher = open()) {
      List.of(before, unsafe, after, unsafeToo).forEach(r -> publisher.publish(r, outcomes));
      publisher.flush();

      for (OutboxRecord record : List.of(unsafe, unsafeToo)) {
        assertThat(outcomes.of(record))
            .isInstanceOfSatisfying(
                Outcome.Unavailable.class,
                is -> {
                  assertThat(is.reason()).isEqualTo(Outcome.Reason.UNSAFE);
                  assertThat(is.detail()).contains("replication-factor", "Raise it.");
                });
      }
      assertThat(outcomes.of(after)).isInstanceOf(Outcome.Unknown.class);
      outcomes.expectPublished(List.of(before));
      assertThat(broker.kept()).containsExactly(before);
    }
  }

  @Test
  void aDestinationThatWasMendedIsPublishedToAgain() {
    findings.put("kafka:unsafe", UNSAFE);
    assertThat(outcomeOf("kafka:unsafe")).isInstanceOf(Outcome.Unavailable.class);

    findings.clear();

    await().until(() -> outcomeOf("kafka:unsafe") instanceof Outcome.Published);
  }

  @Test
  void aBrokerThatIsAwayIsLookedAtAgainAndThenRefused() {
    findings.put("kafka:unsafe", AWAY);
    assertThat(outcomeOf("kafka:unsafe")).isInstanceOf(Outcome.Published.class);

    findings.put("kafka:unsafe", UNSAFE);

    await().until(() -> outcomeOf("kafka:unsafe") instanceof Outcome.Unavailable);
  }

  @ParameterizedTest
  @ValueSource(classes = {IllegalStateException.class, OutOfMemoryError.class})
  void aLookThatFailsEndsNeitherTheLooksAtOthersNorItsRepetition(Class<? extends Throwable> kind)
      throws ReflectiveOperationException {
    failures.put("kafka:failing", kind.getDeclaredConstructor().newInstance());
    findings.put("kafka:failing", UNSAFE);
    findings.put("kafka:unsafe", UNSAFE);
    assertThat(outcomeOf("kafka:failing")).isInstanceOf(Outcome.Published.class);
    assertThat(outcomeOf("kafka:unsafe")).isInstanceOf(Outcome.Unavailable.class);

    failures.clear();

    await().until(() -> outcomeOf("kafka:failing") instanceof Outcome.Unavailable);
  }

  @Test
  void aLookThatCannotBeClosedTakesNoRefusalBack() {
    closing = new IllegalStateException("made up");
    findings.put("kafka:unsafe", UNSAFE);
    unread.put("kafka:unsafe", AWAY);

    for (int i = 0; i < 5; i++) {
      assertThat(outcomeOf("kafka:unsafe")).isInstanceOf(Outcome.Unavailable.class);
    }
  }

  @Test
  void aKnownDestinationIsNotLookedAtForEachMessage() {
    DestinationGuard patient = new DestinationGuard("kafka", FakeExamination::new);
    List<OutboxRecord> records =
        IntStream.range(0, 1_000).mapToObj(i -> Records.record("kafka:t", "k", "p" + i)).toList();
    try (Publisher publisher = new GuardedPublisher(broker.open(0), patient)) {
      records.forEach(record -> publisher.publish(record, outcomes));
      publisher.flush();
      outcomes.expectPublished(records);
    }
    assertThat(looks).hasValue(1);
    patient.close();
  }

  @Test
  void whatWaitsForALookWhenThePublisherIsClosedIsUnknown() throws InterruptedException {
    mayLook = new CountDownLatch(1);
    OutboxRecord record = Records.record("kafka:t", "k", "1");
    Publisher publisher = open();
    publisher.publish(record, outcomes);

    publisher.close();

    assertThat(outcomes.now(record)).isInstanceOf(Outcome.Unknown.class);
    mayLook.countDown();
    CountDownLatch looked = new CountDownLatch(1);
    if (guard.ask("kafka:t", looked::countDown) == null) {
      assertThat(looked.await(20, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(broker.count()).isZero();
  }

  private Publisher open() {
    return new GuardedPublisher(broker.open(0), guard);
  }

  private Outcome outcomeOf(String destination) {
    OutboxRecord record = Records.record(destination, "k", "x");
    try (Publisher publisher = open()) {
      publisher.publish(record, outcomes);
      publisher.flush();
      return outcomes.of(record);
    }
  }

  /** Finds what the test says. */
  private final class FakeExamination implements BrokerExamination {
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
      looks.incrementAndGet();
      if (failures.get(destination) instanceof Error error) {
        throw error;
      }
      if (failures.get(destination) instanceof RuntimeException exception) {
        throw exception;
      }
      return Stream.of(findings, unread).flatMap(found -> of(destination, found)).toList();
    }

    @Override
    public List<Finding> consumed(String group, Collection<String> topics, Duration horizon) {
      return List.of();
    }

    private Stream<Finding> of(String destination, Map<String, Finding> all) {
      return Stream.ofNullable(all.get(destination));
    }

    @Override
    public void close() {
      RuntimeException failure = closing;
      if (failure != null) {
        throw failure;
      }
    }
  }
}
