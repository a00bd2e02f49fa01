package dev.twinbox.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is true of every publisher. */
public abstract class PublisherContract {
  private static final Duration PATIENT = Duration.ofSeconds(60);
  private static final Duration AT_ONCE = Duration.ofSeconds(2);

  private final Outcomes outcomes = new Outcomes();
  private final List<Broker> brokers = new ArrayList<>();
  private BrokerUnderTest server;

  protected abstract BrokerUnderTest server();

  @BeforeEach
  void chooseServer() {
    server = server();
  }

  @AfterEach
  void closeBrokers() {
    brokers.forEach(Broker::close);
  }

  @Test
  void everythingHandedOverIsConfirmedAndReadableInOrder() {
    String destination = server.newDestination();
    List<OutboxRecord> records =
        IntStream.range(0, 2000)
            .mapToObj(i -> Records.record(destination, "key" + i % 50, "payload " + i))
            .toList();

    publish(open(), records);

    outcomes.expectPublished(records);
    assertThat(byKey(server.read(destination))).isEqualTo(byKey(asArrived(records)));
  }

  @Test
  void messagesWithoutAKeyAreAllPublished() {
    String destination = server.newDestination();
    List<OutboxRecord> records =
        IntStream.range(0, 500)
            .mapToObj(i -> Records.record(destination, null, "payload " + i))
            .toList();

    publish(open(), records);

    outcomes.expectPublished(records);
    assertThat(server.read(destination))
        .extracting(Arrived::id)
        .containsExactlyInAnyOrderElementsOf(ids(records));
  }

  @Test
  void aKeyKeepsItsOrderOverSeveralDestinations() {
    List<String> destinations = Stream.generate(server::newDestination).limit(3).toList();
    List<OutboxRecord> records =
        IntStream.range(0, 600)
            .mapToObj(i -> Records.record(destinations.get(i % 3), "key" + i % 7, "payload " + i))
            .toList();
    List<String> confirmed = new ArrayList<>();
    CountDownLatch all = new CountDownLatch(records.size());

    Publisher publisher = open();
    for (OutboxRecord record : records) {
      publisher.publish(
          record,
          (settled, outcome) -> {
            outcomes.settled(settled, outcome);
            if ("key0".equals(settled.key())) {
              confirmed.add(settled.id().toString());
            }
            all.countDown();
          });
    }

    outcomes.expectPublished(records);
    assertThat(confirmed)
        .isEqualTo(ids(records.stream().filter(r -> "key0".equals(r.key())).toList()));
  }

  @Test
  void aMessageTooLargeIsRejectedAndItsNeighboursArePublished() {
    String destination = server.newDestination();
    OutboxRecord tooLarge = Records.record(destination, "a", new byte[server.tooManyBytes()]);
    List<OutboxRecord> records = new ArrayList<>();
    IntStream.range(0, 20).forEach(i -> records.add(Records.record(destination, "a", "a" + i)));
    IntStream.range(0, 20).forEach(i -> records.add(Records.record(destination, "b", "b" + i)));
    List<OutboxRecord> neighbours = List.copyOf(records);
    records.add(10, tooLarge);

    publishUntilSettled(broker(), records);

    assertThat(outcomes.now(tooLarge))
        .isInstanceOfSatisfying(
            Outcome.Rejected.class,
            rejected -> assertThat(rejected.reason()).isEqualTo(Outcome.Reason.TOO_LARGE));
    assertThat(byKeyWithoutRepeats(server.read(destination)))
        .isEqualTo(byKey(asArrived(neighbours)));
  }

  @Test
  void aMissingDestinationIsUnavailableAndItsFollowersAreNotSent() {
    String missing = server.missingDestination();
    String present = server.newDestination();
    OutboxRecord lost = Records.record(missing, "k", "one");
    OutboxRecord sameKey = Records.record(present, "k", "two");

    publish(open(server.broker(Duration.ofSeconds(1), PATIENT)), List.of(lost, sameKey));

    assertThat(outcomes.of(lost))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            is -> assertThat(is.reason()).isEqualTo(Outcome.Reason.MISSING_DESTINATION));
    assertThat(outcomes.of(sameKey)).isInstanceOf(Outcome.Unknown.class);
    assertThat(server.read(present)).isEmpty();
  }

  @Test
  void aDestinationThatWasMissingIsPublishedToOnceItExists() {
    String destination = server.missingDestination();
    Broker broker = server.broker(Duration.ofSeconds(1), PATIENT);
    OutboxRecord record = Records.record(destination, "k", "one");
    try (Publisher publisher = open(broker)) {
      publish(publisher, List.of(record));
      assertThat(outcomes.of(record)).isInstanceOf(Outcome.Unavailable.class);
    }

    server.create(destination);

    OutboxRecord again = Records.record(destination, "k", "two");
    publish(open(broker), List.of(again));
    outcomes.expectPublished(List.of(again));
  }

  @Test
  void aDestinationThatIsNoneOfThisBrokerIsRejected() {
    OutboxRecord foreign = Records.record("elsewhere:orders", "k", "one");
    String destination = server.newDestination();
    OutboxRecord good = Records.record(destination, "k", "two");

    publish(open(), List.of(foreign, good));

    assertThat(outcomes.of(foreign))
        .isInstanceOfSatisfying(
            Outcome.Rejected.class,
            is -> assertThat(is.reason()).isEqualTo(Outcome.Reason.UNKNOWN_DESTINATION));
    outcomes.expectPublished(List.of(good));
  }

  /** Rows that were not written by an Outbox. */
  @Test
  void aContentTypeOfStructuredModeIsRejected() {
    String destination = server.newDestination();
    byte[] body = "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    OutboxRecord field =
        Records.record(
            destination, "a", body, "Application/CloudEvents+json; charset=utf-8", null, List.of());
    OutboxRecord header =
        Records.record(
            destination,
            "b",
            body,
            null,
            null,
            List.of(new OutboxRecord.Header("Content-Type", "application/cloudevents-batch+json")));
    OutboxRecord good = Records.record(destination, "c", "x");

    publish(open(), List.of(field, header, good));

    for (OutboxRecord refused : List.of(field, header)) {
      assertThat(outcomes.of(refused))
          .isInstanceOfSatisfying(
              Outcome.Rejected.class,
              is -> {
                assertThat(is.reason()).isEqualTo(Outcome.Reason.MALFORMED);
                assertThat(is.detail()).contains("structured mode");
              });
    }
    outcomes.expectPublished(List.of(good));
  }

  @Test
  void closingWhileTheBrokerIsFrozenReturnsAtOnceAndLeavesNothingWithoutAnOutcome() {
    String destination = server.newDestination();
    Publisher publisher = open();
    OutboxRecord before = Records.record(destination, "k", "before");
    publish(publisher, List.of(before));
    outcomes.expectPublished(List.of(before));
    // More than any buffer between here and there, so that a write hangs.
    List<OutboxRecord> records =
        IntStream.range(0, 400)
            .mapToObj(i -> Records.record(destination, "k" + i, new byte[50_000]))
            .toList();

    server.freeze();
    try {
      within(AT_ONCE, () -> publish(publisher, records));
      within(AT_ONCE, publisher::close);

      assertThat(records)
          .allSatisfy(r -> assertThat(outcomes.now(r)).isInstanceOf(Outcome.Unknown.class));
    } finally {
      server.thaw();
    }
    assertThat(outcomes.count()).isEqualTo(records.size() + 1);
  }

  @Test
  void aFrozenBrokerIsNoticedWithinTheConfirmTimeout() {
    String destination = server.newDestination();
    Broker broker = server.broker(PATIENT, Duration.ofSeconds(1));
    Publisher publisher = open(broker);
    OutboxRecord before = Records.record(destination, "k", "before");
    publish(publisher, List.of(before));
    outcomes.expectPublished(List.of(before));
    List<OutboxRecord> records =
        IntStream.range(0, 10)
            .mapToObj(i -> Records.record(destination, "k" + i % 3, "payload " + i))
            .toList();

    server.freeze();
    try {
      publish(publisher, records);
      assertThat(outcomes.of(records.get(0)))
          .isInstanceOfSatisfying(
              Outcome.Unavailable.class,
              is -> assertThat(is.reason()).isEqualTo(Outcome.Reason.UNREACHABLE));
      assertThat(records.subList(1, 10))
          .allSatisfy(r -> assertThat(outcomes.of(r)).isInstanceOf(Outcome.Unknown.class));
    } finally {
      server.thaw();
    }
    OutboxRecord after = Records.record(destination, "k", "after");
    publish(open(broker), List.of(after));
    outcomes.expectPublished(List.of(after));
  }

  @Test
  void whileTheBrokerIsDownItIsUnreachableAndANewPublisherWorksAfterItsReturn() {
    String destination = server.newDestination();
    Broker broker = server.broker(Duration.ofSeconds(2), Duration.ofSeconds(2));
    Publisher publisher = open(broker);
    OutboxRecord before = Records.record(destination, "k", "before");
    publish(publisher, List.of(before));
    outcomes.expectPublished(List.of(before));

    server.takeDown();
    try {
      OutboxRecord during = Records.record(destination, "k", "during");
      publish(publisher, List.of(during));
      assertThat(outcomes.of(during))
          .isInstanceOfAny(Outcome.Unavailable.class, Outcome.Unknown.class);
      OutboxRecord stillDuring = Records.record(destination, "k", "still during");
      publish(open(broker), List.of(stillDuring));
      assertThat(outcomes.of(stillDuring))
          .isInstanceOfSatisfying(
              Outcome.Unavailable.class,
              is -> assertThat(is.reason()).isEqualTo(Outcome.Reason.UNREACHABLE));
    } finally {
      server.bringBack();
    }

    OutboxRecord after = Records.record(destination, "k", "after");
    publish(open(server.broker(PATIENT, PATIENT)), List.of(after));
    outcomes.expectPublished(List.of(after));
    assertThat(server.read(destination))
        .extracting(Arrived::payload)
        .containsSubsequence("before", "after");
  }

  @Test
  void afterCloseNothingIsTaken() {
    String destination = server.newDestination();
    Publisher publisher = open();
    publisher.close();
    publisher.close();
    OutboxRecord late = Records.record(destination, "k", "late");

    publish(publisher, List.of(late));

    assertThat(outcomes.now(late)).isInstanceOf(Outcome.Unknown.class);
    assertThat(server.read(destination)).isEmpty();
  }

  @Test
  void aListenerMayCloseThePublisher() {
    String destination = server.newDestination();
    Publisher publisher = open();
    List<OutboxRecord> records =
        IntStream.range(0, 100)
            .mapToObj(i -> Records.record(destination, "k", "payload " + i))
            .toList();

    for (OutboxRecord record : records) {
      publisher.publish(
          record,
          (settled, outcome) -> {
            outcomes.settled(settled, outcome);
            publisher.close();
          });
    }

    await().until(() -> outcomes.count() == records.size());
    assertThat(outcomes.now(records.get(0))).isEqualTo(Outcome.PUBLISHED);
    assertThat(outcomes.now(records.get(99))).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void closingRacesWithConfirmsAndEachRecordStillHasOneOutcome() throws InterruptedException {
    String destination = server.newDestination();
    for (int round = 0; round < 20; round++) {
      Publisher publisher = open();
      Outcomes own = new Outcomes();
      List<OutboxRecord> records =
          IntStream.range(0, 300)
              .mapToObj(i -> Records.record(destination, "k" + i % 100, "payload " + i))
              .toList();
      CountDownLatch begun = new CountDownLatch(1 + round * 10);
      Thread closer =
          new Thread(
              () -> {
                try {
                  if (begun.await(30, TimeUnit.SECONDS)) {
                    publisher.close();
                  }
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      closer.start();
      for (OutboxRecord record : records) {
        publisher.publish(
            record,
            (settled, outcome) -> {
              own.settled(settled, outcome);
              begun.countDown();
            });
      }
      closer.join();
      publisher.close();
      assertThat(own.count()).isEqualTo(records.size());
    }
  }

  @Test
  void whatExpiresBeforeItCouldBeSentIsNeverSentAndItsKeyGoesOn() {
    String destination = server.newDestination();
    Broker broker = broker();
    OutboxRecord late = Records.record(destination, "k", "late");
    OutboxRecord follower = Records.record(destination, "k", "follower");

    server.freeze();
    Publisher publisher = open(broker);
    try {
      publisher.publish(late, expiring(Duration.ofMillis(300)));
      assertThat(outcomes.of(late))
          .isInstanceOfSatisfying(
              Outcome.Rejected.class,
              is -> assertThat(is.reason()).isEqualTo(Outcome.Reason.EXPIRED));
    } finally {
      server.thaw();
    }
    publishUntilSettled(broker, List.of(follower));
    assertThat(server.read(destination)).extracting(Arrived::payload).containsExactly("follower");
  }

  @Test
  void whatHasExpiredAlreadyIsNotSent() {
    String destination = server.newDestination();
    OutboxRecord late = Records.record(destination, "k", "late");
    OutboxRecord inTime = Records.record(destination, "k", "in time");
    Publisher publisher = open();

    publisher.publish(late, expiring(Duration.ZERO));
    publisher.publish(inTime, expiring(PATIENT));

    outcomes.expectPublished(List.of(inTime));
    assertThat(outcomes.now(late)).isInstanceOf(Outcome.Rejected.class);
    assertThat(server.read(destination)).extracting(Arrived::payload).containsExactly("in time");
  }

  /** Listens for a record that expires so long from now. */
  protected final OutcomeListener expiring(Duration after) {
    long deadline = System.nanoTime() + after.toNanos();
    return new OutcomeListener() {
      @Override
      public void settled(OutboxRecord record, Outcome outcome) {
        outcomes.settled(record, outcome);
      }

      @Override
      public Long deadline() {
        return deadline;
      }
    };
  }

  @Test
  void aTombstoneArrivesAsOne() {
    String destination = server.newDestination();
    OutboxRecord tombstone = Records.record(destination, "k", (byte[]) null);
    OutboxRecord empty = Records.record(destination, "k", "");

    publish(open(), List.of(tombstone, empty));

    outcomes.expectPublished(List.of(tombstone, empty));
    assertThat(server.read(destination)).extracting(Arrived::payload).containsExactly(null, "");
  }

  protected final Outcomes outcomes() {
    return outcomes;
  }

  protected final Broker broker() {
    return server.broker(PATIENT, PATIENT);
  }

  protected final Publisher open() {
    return open(broker());
  }

  protected final Publisher open(Broker broker) {
    if (!brokers.contains(broker)) {
      brokers.add(broker);
    }
    return broker.open(3);
  }

  protected final void publish(Publisher publisher, List<OutboxRecord> records) {
    records.forEach(record -> publisher.publish(record, outcomes));
    publisher.flush();
  }

  /** As the relay does: what is unknown is published again by a new publisher, in order. */
  protected final void publishUntilSettled(Broker broker, List<OutboxRecord> records) {
    List<OutboxRecord> left = records;
    for (int round = 0; !left.isEmpty(); round++) {
      assertThat(round).as("publishers opened").isLessThan(10);
      Outcomes own = new Outcomes();
      List<OutboxRecord> handed = left;
      try (Publisher publisher = open(broker)) {
        handed.forEach(record -> publisher.publish(record, own));
        await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> handed.stream().allMatch(record -> own.now(record) != null));
      }
      handed.stream()
          .filter(record -> !(own.now(record) instanceof Outcome.Unknown))
          .forEach(record -> outcomes.settled(record, own.of(record)));
      left = handed.stream().filter(r -> own.now(r) instanceof Outcome.Unknown).toList();
    }
  }

  private static void within(Duration limit, Runnable action) {
    long begin = System.nanoTime();
    action.run();
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(limit);
  }

  protected static List<String> ids(List<OutboxRecord> records) {
    return records.stream().map(record -> record.id().toString()).toList();
  }

  private static List<Arrived> asArrived(List<OutboxRecord> records) {
    return records.stream()
        .map(r -> new Arrived(r.id().toString(), r.key(), null, Map.of()))
        .toList();
  }

  private static Map<String, List<String>> byKey(List<Arrived> messages) {
    return messages.stream()
        .collect(
            Collectors.groupingBy(
                message -> String.valueOf(message.key()),
                Collectors.mapping(Arrived::id, Collectors.toList())));
  }

  private static Map<String, List<String>> byKeyWithoutRepeats(List<Arrived> messages) {
    Map<String, List<String>> first = byKey(messages);
    first.replaceAll((key, ids) -> ids.stream().distinct().toList());
    return first;
  }
}
