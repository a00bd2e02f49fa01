package dev.twinbox.rabbitmq.publisher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.LongString;
import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;
import dev.twinbox.contract.Arrived;
import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.PublisherContract;
import dev.twinbox.contract.Records;
import dev.twinbox.rabbitmq.RabbitRoute;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RabbitPublisherTest extends PublisherContract {
  private static final Duration PATIENT = Duration.ofSeconds(60);
  private static RabbitUnderTest server;

  @BeforeAll
  static void startRabbit() throws IOException, TimeoutException {
    server = new RabbitUnderTest();
  }

  @AfterAll
  static void stopRabbit() {
    server.close();
  }

  @Override
  protected BrokerUnderTest server() {
    return server;
  }

  @Test
  void whatExpiresBehindAnUnconfirmedMessageOfItsKeyIsNotSent() {
    String destination = server.newDestination();
    OutboxRecord before = Records.record(destination, "k", "before");
    OutboxRecord first = Records.record(destination, "k", "first");
    OutboxRecord late = Records.record(destination, "k", "late");
    OutboxRecord last = Records.record(destination, "k", "last");
    Publisher publisher = open();
    publish(publisher, List.of(before));
    outcomes().expectPublished(List.of(before));

    server.freeze();
    OutcomeListener expiring = expiring(Duration.ofMillis(300));
    try {
      publish(publisher, List.of(first));
      publisher.publish(late, expiring);
      publish(publisher, List.of(last));
      long deadline = java.util.Objects.requireNonNull(expiring.deadline());
      await().until(() -> System.nanoTime() - deadline > 0);
    } finally {
      server.thaw();
    }

    outcomes().expectPublished(List.of(first, last));
    assertThat(outcomes().now(late)).isInstanceOf(Outcome.Rejected.class);
    assertThat(server.read(destination))
        .extracting(Arrived::payload)
        .containsExactly("before", "first", "last");
  }

  @Tag("essential")
  @Test
  void theWireFormatIsPropertiesAndCloudEventsHeaders() {
    String destination = server.newDestination();
    OutboxRecord record =
        Records.record(
            destination,
            "kü",
            "{}".getBytes(UTF_8),
            "application/json",
            Instant.parse("2027-01-01T00:00:00Z"),
            List.of(
                new OutboxRecord.Header("ce_source", "/shop"),
                new OutboxRecord.Header("ce_traceparent", "00-ab-cd-01"),
                new OutboxRecord.Header("tenant", "köln")));

    publish(open(), List.of(record));

    outcomes().expectPublished(List.of(record));
    GetResponse arrived = server.messages(RabbitUnderTest.exchange(destination)).get(0);
    assertThat(arrived.getBody()).isEqualTo("{}".getBytes(UTF_8));
    assertThat(arrived.getProps().getMessageId()).isEqualTo(record.id().toString());
    assertThat(arrived.getProps().getType()).isEqualTo("order.placed");
    assertThat(arrived.getProps().getContentType()).isEqualTo("application/json");
    assertThat(arrived.getProps().getDeliveryMode()).isEqualTo(2);
    assertThat(arrived.getProps().getTimestamp())
        .isEqualTo(Date.from(Instant.parse("2026-11-22T08:33:01Z")));
    assertThat(arrived.getProps().getExpiration()).isNull();
    assertThat(headers(arrived))
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("cloudEvents_specversion", "1.0"),
                Map.entry("cloudEvents_id", record.id().toString()),
                Map.entry("cloudEvents_source", "/shop"),
                Map.entry("cloudEvents_type", "order.placed"),
                Map.entry("cloudEvents_time", "2026-11-22T08:33:01.000123Z"),
                Map.entry("cloudEvents_partitionkey", "kü"),
                Map.entry("cloudEvents_destination", destination),
                Map.entry("cloudEvents_expirytime", "2027-01-01T00:00:00.000000Z"),
                Map.entry("cloudEvents_traceparent", "00-ab-cd-01"),
                Map.entry("traceparent", "00-ab-cd-01"),
                Map.entry("tenant", "köln"),
                Map.entry("twinbox-publish", 1L)));
  }

  @Test
  void aTombstoneIsMarkedAndNothingElseIs() {
    String destination = server.newDestination();
    OutboxRecord tombstone = Records.record(destination, null, null, null, null, List.of());

    publish(open(), List.of(tombstone));

    outcomes().expectPublished(List.of(tombstone));
    GetResponse arrived = server.messages(RabbitUnderTest.exchange(destination)).get(0);
    assertThat(arrived.getBody()).isEmpty();
    assertThat(headers(arrived))
        .containsEntry("cloudEvents_tombstone", true)
        .containsOnlyKeys(
            "cloudEvents_specversion",
            "cloudEvents_id",
            "cloudEvents_type",
            "cloudEvents_time",
            "cloudEvents_destination",
            "cloudEvents_tombstone",
            "twinbox-publish");
  }

  @Test
  void anUnroutableMessageIsNeverPublishedThoughTheBrokerConfirmsIt() {
    String destination = server.newDestination();
    String nowhere = destination.replace("/placed", "/nobody-is-bound");
    OutboxRecord before = Records.record(destination, "a", "before");
    OutboxRecord lost = Records.record(nowhere, "b", "lost");
    OutboxRecord follower = Records.record(destination, "b", "follower");

    publish(open(), List.of(before, lost, follower));

    assertThat(outcomes().of(lost))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            is -> {
              assertThat(is.reason()).isEqualTo(Reason.UNROUTABLE);
              assertThat(is.detail()).contains("312", "NO_ROUTE", "nobody-is-bound");
            });
    assertThat(outcomes().of(follower)).isInstanceOf(Outcome.Unknown.class);
    outcomes().expectPublished(List.of(before));
    assertThat(server.read(destination)).extracting(Arrived::payload).containsExactly("before");
  }

  @Test
  void aMissingQueueOfTheDefaultExchangeIsUnroutable() {
    OutboxRecord lost = Records.record("rabbitmq:/queue-" + UUID.randomUUID(), "k", "lost");

    publish(open(), List.of(lost));

    expectUnavailable(lost, Reason.UNROUTABLE);
  }

  @Test
  void aNackFailsTheMessageAndItsKeyWaitsWhileOthersGoOn() {
    String full = server.missingDestination();
    String queue = RabbitUnderTest.exchange(full);
    server.create(full, Map.of("x-max-length", 1, "x-overflow", "reject-publish"));
    String other = server.newDestination();
    server.put(queue);
    Publisher publisher = open();
    OutboxRecord refused = Records.record(full, "k", "one");
    OutboxRecord follower = Records.record(full, "k", "two");
    OutboxRecord otherKey = Records.record(other, "free", "three");

    publisher.publish(
        refused,
        (record, outcome) -> {
          // Room again, before the follower could be sent: it must not overtake.
          server.messages(queue);
          outcomes().settled(record, outcome);
        });
    publish(publisher, List.of(follower, otherKey));

    assertThat(outcomes().of(refused))
        .isInstanceOfSatisfying(
            Outcome.Failed.class, is -> assertThat(is.reason()).isEqualTo(Reason.NACKED));
    assertThat(outcomes().of(follower)).isInstanceOf(Outcome.Unknown.class);
    outcomes().expectPublished(List.of(otherKey));
    OutboxRecord late = Records.record(full, "k", "late");
    OutboxRecord lateOther = Records.record(other, "free", "late");
    publish(publisher, List.of(late, lateOther));
    assertThat(outcomes().of(late)).isInstanceOf(Outcome.Unknown.class);
    outcomes().expectPublished(List.of(lateOther));
    assertThat(server.messages(queue)).isEmpty();
  }

  @Test
  void aMissingExchangeBlamesOnlyItsOwnMessages() {
    String present = server.newDestination();
    String missing = server.missingDestination();
    List<OutboxRecord> records = new ArrayList<>();
    IntStream.range(0, 50).forEach(i -> records.add(Records.record(present, null, "p" + i)));
    OutboxRecord culprit = Records.record(missing, "m", "m");
    records.add(25, culprit);

    publish(open(), records);

    expectUnavailable(culprit, Reason.MISSING_DESTINATION);
    records.remove(culprit);
    assertThat(records)
        .allSatisfy(
            r ->
                assertThat(outcomes().of(r))
                    .isInstanceOfAny(Outcome.Published.class, Outcome.Unknown.class));
  }

  @Test
  void headersThatDoNotFitIntoAFrameRejectTheMessageOnly() {
    String destination = server.newDestination();
    List<OutboxRecord> records = new ArrayList<>();
    IntStream.range(0, 40).forEach(i -> records.add(Records.record(destination, null, "p" + i)));
    List<OutboxRecord> neighbours = List.copyOf(records);
    OutboxRecord fat =
        Records.record(
            destination,
            null,
            "p".getBytes(UTF_8),
            null,
            null,
            List.of(new OutboxRecord.Header("fat", "x".repeat(200_000))));
    records.add(20, fat);

    publish(open(), records);

    assertThat(outcomes().of(fat)).isInstanceOf(Outcome.Rejected.class);
    outcomes().expectPublished(neighbours);
    assertThat(server.read(destination))
        .extracting(Arrived::id)
        .containsExactlyElementsOf(ids(neighbours));
  }

  @Test
  void aMessageThatTheBrokerCallsInvalidIsRejected() {
    String destination = server.newDestination();
    OutboxRecord carbonCopy =
        Records.record(
            destination,
            "k",
            "p".getBytes(UTF_8),
            null,
            null,
            List.of(new OutboxRecord.Header("CC", "not a list")));
    OutboxRecord next = Records.record(destination, "k", "next");

    publishUntilSettled(broker(), List.of(carbonCopy, next));

    assertThat(outcomes().of(carbonCopy))
        .isInstanceOfSatisfying(
            Outcome.Rejected.class, is -> assertThat(is.reason()).isEqualTo(Reason.MALFORMED));
    outcomes().expectPublished(List.of(next));
  }

  @Test
  void aLostConnectionMakesWhatIsUnderWayUnknownAndNothingIsLostOrTurnedRound() {
    String destination = server.newDestination();
    List<OutboxRecord> records =
        IntStream.range(0, 3000)
            .mapToObj(i -> Records.record(destination, "k" + i % 40, "p" + i))
            .toList();
    Broker broker = broker();
    Outcomes first = new Outcomes();
    try (Publisher publisher = open(broker)) {
      records.subList(0, 1500).forEach(record -> publisher.publish(record, first));
      org.awaitility.Awaitility.await().until(() -> first.count() >= 500);
      // No confirm comes through any more, so something is under way for certain.
      server.proxy.dropResponses();
      records.subList(1500, 3000).forEach(record -> publisher.publish(record, first));
      server.proxy.cut();
      records.forEach(first::of);
    }
    server.proxy.restore();
    List<OutboxRecord> unknown =
        records.stream().filter(r -> first.now(r) instanceof Outcome.Unknown).toList();
    assertThat(unknown).isNotEmpty();
    assertThat(records)
        .allSatisfy(
            r ->
                assertThat(first.now(r))
                    .isInstanceOfAny(Outcome.Published.class, Outcome.Unknown.class));

    publish(open(broker), unknown);

    outcomes().expectPublished(unknown);
    Map<String, List<String>> arrived = new HashMap<>();
    for (Arrived message : server.read(destination)) {
      List<String> ofKey =
          arrived.computeIfAbsent(String.valueOf(message.key()), k -> new ArrayList<>());
      if (!ofKey.contains(message.id())) {
        ofKey.add(message.id());
      }
    }
    for (int k = 0; k < 40; k++) {
      String key = "k" + k;
      assertThat(arrived.get(key))
          .isEqualTo(ids(records.stream().filter(r -> key.equals(r.key())).toList()));
    }
  }

  @Test
  void anIdleConnectionThatWasLostIsMadeAnew() {
    String destination = server.newDestination();
    Publisher publisher = open();
    OutboxRecord before = Records.record(destination, "k", "before");
    publish(publisher, List.of(before));
    outcomes().expectPublished(List.of(before));
    server.proxy.cut();
    await().until(() -> server.proxy.openConnections() == 0);

    Outcomes own = new Outcomes();
    OutboxRecord after = Records.record(destination, "k", "after");
    publisher.publish(after, own);

    // If the client had not noticed the loss yet, the message is unknown, but never lost.
    assertThat(own.of(after)).isInstanceOfAny(Outcome.Published.class, Outcome.Unknown.class);
  }

  @Test
  void closingEndsTheConnectionWhetherItIsIdleOrHangs() {
    String destination = server.newDestination();
    Publisher idle = open();
    Publisher hanging = open();
    List<OutboxRecord> before =
        List.of(Records.record(destination, "k", "p"), Records.record(destination, "l", "p"));
    publish(idle, before.subList(0, 1));
    publish(hanging, before.subList(1, 2));
    outcomes().expectPublished(before);
    assertThat(server.proxy.openConnections()).isGreaterThanOrEqualTo(2);

    server.freeze();
    try {
      publish(
          hanging,
          IntStream.range(0, 400)
              .mapToObj(i -> Records.record(destination, null, new byte[50_000]))
              .toList());
      hanging.close();
      idle.close();
    } finally {
      server.thaw();
    }

    await().until(() -> server.proxy.openConnections() == 0);
  }

  @Test
  void anAlarmBlocksAndAfterItsEndPublishingGoesOn() {
    String destination = server.newDestination();
    Broker broker =
        server.builder().blockedTimeout(Duration.ofSeconds(1)).confirmTimeout(PATIENT).build();
    OutboxRecord during = Records.record(destination, "k", "during");
    OutboxRecord follower = Records.record(destination, "k", "follower");
    server.rabbit.raiseMemoryAlarm();
    try {
      publish(open(broker), List.of(during, follower));

      expectUnavailable(during, Reason.BLOCKED);
      assertThat(outcomes().of(follower)).isInstanceOf(Outcome.Unknown.class);
    } finally {
      server.rabbit.clearMemoryAlarm();
    }
    OutboxRecord after = Records.record(destination, "k", "after");
    publish(open(broker), List.of(after));
    outcomes().expectPublished(List.of(after));
  }

  @Test
  void aShortAlarmIsWaitedFor() {
    String destination = server.newDestination();
    Broker broker = server.builder().blockedTimeout(PATIENT).confirmTimeout(PATIENT).build();
    List<OutboxRecord> records =
        IntStream.range(0, 100).mapToObj(i -> Records.record(destination, "k", "p" + i)).toList();
    server.rabbit.raiseMemoryAlarm();
    try {
      publish(open(broker), records);
    } finally {
      server.rabbit.clearMemoryAlarm();
    }
    outcomes().expectPublished(records);
  }

  @Test
  void aWrongPasswordIsSaidAndTheNextConnectionTakesTheNewOne() {
    String destination = server.newDestination();
    AtomicReference<String> password = new AtomicReference<>("wrong");
    Broker broker =
        RabbitBroker.named("rabbitmq")
            .properties(
                () -> {
                  Map<String, String> properties = new HashMap<>(server.properties());
                  properties.put("password", password.get());
                  return properties;
                })
            .build();
    OutboxRecord refused = Records.record(destination, "k", "refused");
    publish(open(broker), List.of(refused));
    expectUnavailable(refused, Reason.NOT_AUTHENTICATED);

    password.set(server.rabbit.password());

    OutboxRecord accepted = Records.record(destination, "k", "accepted");
    publish(open(broker), List.of(accepted));
    outcomes().expectPublished(List.of(accepted));
  }

  @Test
  void anExchangeThatMayNotBeWrittenToIsUnavailable() {
    String destination = server.newDestination();
    server.rabbit.control("add_user", "reader", "secret");
    server.rabbit.control("set_permissions", "reader", "", "^allowed$", ".*");
    Map<String, String> properties = new HashMap<>(server.properties());
    properties.put("username", "reader");
    properties.put("password", "secret");
    Broker broker = RabbitBroker.named("rabbitmq").properties(properties).build();
    OutboxRecord record = Records.record(destination, "k", "p");

    publish(open(broker), List.of(record));

    expectUnavailable(record, Reason.NOT_AUTHORISED);
  }

  @Test
  void aVirtualHostThatIsMissingIsUnavailable() {
    Map<String, String> properties = new HashMap<>(server.properties());
    properties.put("virtual.host", "no-such-host");
    Broker broker = RabbitBroker.named("rabbitmq").properties(properties).build();
    OutboxRecord record = Records.record(server.newDestination(), "k", "p");

    publish(open(broker), List.of(record));

    expectUnavailable(record, Reason.NOT_AUTHENTICATED);
  }

  @Test
  void theDevelopmentTopologyDeclaresExchangeQueueAndBinding()
      throws IOException, TimeoutException {
    RabbitRoute route = new RabbitRoute("exchange-" + UUID.randomUUID(), "order.placed");
    String queue = "queue-" + UUID.randomUUID();
    RabbitRoute direct = new RabbitRoute("", queue + "-direct");

    for (int times = 0; times < 2; times++) {
      RabbitTopology.ordered().declare(server.rabbit.connectionFactory(), route, queue);
      RabbitTopology.ordered()
          .declare(server.rabbit.connectionFactory(), direct, direct.routingKey());
    }

    List<OutboxRecord> records =
        List.of(
            Records.record("rabbitmq:" + route, "k", "p"),
            Records.record("rabbitmq:" + direct, "k", "p"));
    publish(open(), records);
    outcomes().expectPublished(records);
    assertThatThrownBy(
            () ->
                new RabbitTopology(false).declare(server.rabbit.connectionFactory(), route, queue))
        .as("one active consumer was asked for")
        .hasStackTraceContaining("x-single-active-consumer");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rabbitmq:no-slash", "rabbitmq:", "rabbitmq@other:/queue"})
  void aDestinationThatIsNoneOfThisBrokerIsRejected(String destination) {
    OutboxRecord record = Records.record(destination, "k", "p");

    publish(open(), List.of(record));

    assertThat(outcomes().of(record)).isInstanceOf(Outcome.Rejected.class);
  }

  private void expectUnavailable(OutboxRecord record, Reason reason) {
    assertThat(outcomes().of(record))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class, is -> assertThat(is.reason()).isEqualTo(reason));
  }

  private static Map<String, Object> headers(GetResponse message) {
    Map<String, Object> headers = new HashMap<>();
    message
        .getProps()
        .getHeaders()
        .forEach(
            (name, value) ->
                headers.put(name, value instanceof LongString text ? text.toString() : value));
    return headers;
  }
}
