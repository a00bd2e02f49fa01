package dev.twinbox.kafka.publisher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.Publisher;
import dev.twinbox.contract.Arrived;
import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.contract.PublisherContract;
import dev.twinbox.contract.Records;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KafkaPublisherTest extends PublisherContract {
  private static final Duration PATIENT = Duration.ofSeconds(60);
  private static KafkaUnderTest server;

  @BeforeAll
  static void startKafka() {
    server = new KafkaUnderTest();
  }

  @AfterAll
  static void stopKafka() {
    server.close();
  }

  @Override
  protected BrokerUnderTest server() {
    return server;
  }

  @Test
  void partitionsThatAreAddedAreUsedAndNoKeyGoesBack() throws Exception {
    String destination = server.newDestination();
    Broker fresh =
        KafkaBroker.named("kafka")
            .properties(
                () ->
                    Map.of(
                        "bootstrap.servers",
                        server.kafka.bootstrapServers(),
                        "metadata.max.age.ms",
                        "500"))
            .build();
    Publisher publisher = open(fresh);
    List<OutboxRecord> all = new ArrayList<>(publishRound(publisher, destination, 0));

    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", (Object) server.kafka.bootstrapServers()))) {
      String topic = KafkaUnderTest.topic(destination);
      admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(6))).all().get();
    }
    for (int round = 1; partitions(destination) == 1; round++) {
      assertThat(round).isLessThan(2_000);
      all.addAll(publishRound(publisher, destination, round));
    }
    all.addAll(publishRound(publisher, destination, 5_000));

    outcomes().expectPublished(all);
    Map<String, Integer> partition = new HashMap<>();
    Map<String, Integer> round = new HashMap<>();
    server.records(destination).stream()
        .sorted(Comparator.comparingInt(KafkaPublisherTest::round))
        .forEach(
            record -> {
              String key = new String(record.key(), UTF_8);
              Integer before = partition.put(key, record.partition());
              assertThat(before == null || before == 0 || before == record.partition()).isTrue();
              round.put(key, round(record));
            });
    assertThat(round.values()).containsOnly(5_000);
  }

  private List<OutboxRecord> publishRound(Publisher publisher, String destination, int round) {
    List<OutboxRecord> records =
        IntStream.range(0, 20)
            .mapToObj(key -> Records.record(destination, "key" + key, String.valueOf(round)))
            .toList();
    publish(publisher, records);
    outcomes().expectPublished(records);
    return records;
  }

  private static long partitions(String destination) {
    return server.records(destination).stream().map(ConsumerRecord::partition).distinct().count();
  }

  private static int round(ConsumerRecord<byte[], byte[]> record) {
    return Integer.parseInt(new String(record.value(), UTF_8));
  }

  @Test
  void whatExpiresInTheClientsBufferIsTakenBack() {
    String destination = server.newDestination();
    OutboxRecord late = Records.record(destination, "k", "late");
    OutboxRecord other = Records.record(destination, "k2", "other");
    Broker lingering =
        KafkaBroker.named("kafka")
            .properties(
                () ->
                    Map.of(
                        "bootstrap.servers", server.kafka.bootstrapServers(), "linger.ms", "3000"))
            .build();

    Publisher publisher = open(lingering);
    publisher.publish(late, expiring(Duration.ofSeconds(1)));
    publisher.publish(other, outcomes());

    assertThat(outcomes().of(late)).isInstanceOf(Outcome.Unknown.class);
    assertThat(outcomes().of(other)).isInstanceOf(Outcome.Unknown.class);
    OutboxRecord after = Records.record(destination, "k", "after");
    publishUntilSettled(lingering, List.of(after)); // lingers as long as the others would have
    assertThat(server.read(destination)).extracting(Arrived::payload).containsExactly("after");
  }

  @Tag("essential")
  @Test
  void theWireFormatIsCloudEventsInBinaryMode() {
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
    ConsumerRecord<byte[], byte[]> arrived = server.records(destination).get(0);
    assertThat(arrived.key()).isEqualTo("kü".getBytes(UTF_8));
    assertThat(arrived.value()).isEqualTo("{}".getBytes(UTF_8));
    assertThat(arrived.headers().toArray()).hasSize(12);
    assertThat(KafkaUnderTest.headers(arrived))
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("ce_specversion", "1.0"),
                Map.entry("ce_id", record.id().toString()),
                Map.entry("ce_source", "/shop"),
                Map.entry("ce_type", "order.placed"),
                Map.entry("ce_time", "2026-11-22T08:33:01.000123Z"),
                Map.entry("ce_partitionkey", "kü"),
                Map.entry("ce_destination", destination),
                Map.entry("ce_expirytime", "2027-01-01T00:00:00.000000Z"),
                Map.entry("ce_traceparent", "00-ab-cd-01"),
                Map.entry("traceparent", "00-ab-cd-01"),
                Map.entry("content-type", "application/json"),
                Map.entry("tenant", "köln")));
  }

  @Test
  void withoutKeyExpiryAndContentTypeThereAreNoHeadersForThem() {
    String destination = server.newDestination();
    OutboxRecord record =
        Records.record(destination, null, new byte[] {0, 1, -1}, null, null, List.of());

    publish(open(), List.of(record));

    outcomes().expectPublished(List.of(record));
    ConsumerRecord<byte[], byte[]> arrived = server.records(destination).get(0);
    assertThat(arrived.key()).isNull();
    assertThat(arrived.value()).isEqualTo(new byte[] {0, 1, -1});
    assertThat(KafkaUnderTest.headers(arrived))
        .containsOnlyKeys("ce_specversion", "ce_id", "ce_type", "ce_time", "ce_destination");
  }

  @Test
  void theRetentionOfATopicCountsFromPublicationNotFromEnqueueing() {
    String destination = server.newDestination();
    Instant begin = Instant.now();
    OutboxRecord record = Records.record(destination, "k", "old");

    publish(open(), List.of(record));

    outcomes().expectPublished(List.of(record));
    assertThat(server.records(destination).get(0).timestamp())
        .isGreaterThanOrEqualTo(begin.toEpochMilli());
  }

  @Test
  void aMessageTooLargeForTheClientIsRejectedWithoutBeingSent() {
    String destination = server.newDestination();
    OutboxRecord tooLarge = Records.record(destination, "k", new byte[2_000_000]);
    OutboxRecord next = Records.record(destination, "k", "next");

    publish(open(), List.of(tooLarge, next));

    assertThat(outcomes().of(tooLarge))
        .isInstanceOfSatisfying(
            Outcome.Rejected.class, is -> assertThat(is.reason()).isEqualTo(Reason.TOO_LARGE));
    outcomes().expectPublished(List.of(next));
  }

  @Test
  void aMessageThatTheTopicCallsInvalidFailsAndItsNeighboursArePublished() {
    String destination = server.missingDestination();
    server.create(destination, Map.of("cleanup.policy", "compact"));
    List<OutboxRecord> records = new ArrayList<>();
    IntStream.range(0, 10).forEach(i -> records.add(Records.record(destination, "k", "p" + i)));
    List<OutboxRecord> neighbours = List.copyOf(records);
    OutboxRecord keyless = Records.record(destination, null, "no key");
    records.add(5, keyless);

    publishUntilSettled(broker(), records);

    assertThat(outcomes().now(keyless))
        .isInstanceOfSatisfying(
            Outcome.Failed.class, is -> assertThat(is.reason()).isEqualTo(Reason.MALFORMED));
    outcomes().expectPublished(neighbours);
    assertThat(server.read(destination).stream().map(Arrived::id).distinct())
        .containsExactlyElementsOf(ids(neighbours));
  }

  @Test
  void aMissingTopicLeavesWhatWasSentToOthersPublished() {
    String present = server.newDestination();
    List<OutboxRecord> good =
        IntStream.range(0, 100).mapToObj(i -> Records.record(present, "k" + i, "p")).toList();
    OutboxRecord lost = Records.record(server.missingDestination(), "other", "p");
    Publisher publisher = open(server.broker(Duration.ofSeconds(1), PATIENT));

    publish(publisher, List.of(lost));
    publish(publisher, good);

    assertThat(outcomes().of(lost)).isInstanceOf(Outcome.Unavailable.class);
    outcomes().expectPublished(good);
  }

  @Test
  void aTopicThatAppearsInTimeIsPublishedTo() {
    String destination = server.missingDestination();
    OutboxRecord record = Records.record(destination, "k", "early");
    publish(open(), List.of(record));

    server.create(destination);

    outcomes().expectPublished(List.of(record));
  }

  @Test
  void aTopicThatMayNotBeWrittenToIsUnavailable() throws ExecutionException, InterruptedException {
    String destination = server.newDestination();
    ResourcePattern topic =
        new ResourcePattern(
            ResourceType.TOPIC, KafkaUnderTest.topic(destination), PatternType.LITERAL);
    AclBinding forbidden =
        new AclBinding(
            topic,
            new AccessControlEntry(
                "User:ANONYMOUS", "*", AclOperation.WRITE, AclPermissionType.DENY));
    server.kafka.admin().createAcls(List.of(forbidden)).all().get();
    OutboxRecord record = Records.record(destination, "k", "p");

    publish(open(), List.of(record));

    assertThat(outcomes().of(record))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            is -> assertThat(is.reason()).isEqualTo(Reason.NOT_AUTHORISED));
  }

  @Test
  void aDeletedTopicIsReportedAsMissing() throws ExecutionException, InterruptedException {
    String destination = server.newDestination();
    Publisher publisher = open(server.broker(PATIENT, Duration.ofSeconds(3)));
    OutboxRecord before = Records.record(destination, "k", "before");
    publish(publisher, List.of(before));
    outcomes().expectPublished(List.of(before));

    server.kafka.admin().deleteTopics(List.of(KafkaUnderTest.topic(destination))).all().get();
    OutboxRecord after = Records.record(destination, "k", "after");
    publish(publisher, List.of(after));

    assertThat(outcomes().of(after))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            is -> assertThat(is.reason()).isEqualTo(Reason.MISSING_DESTINATION));
  }

  @Test
  void aNameThatCannotBeResolvedIsUnreachable() {
    Broker broker =
        KafkaBroker.named("kafka")
            .properties(() -> Map.of("bootstrap.servers", "no-such-host.invalid:9092"))
            .metadataTimeout(Duration.ofSeconds(1))
            .build();
    OutboxRecord record = Records.record("kafka:orders", "k", "p");

    publish(open(broker), List.of(record));

    assertThat(outcomes().of(record))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class, is -> assertThat(is.reason()).isEqualTo(Reason.UNREACHABLE));
  }

  @Test
  void aBufferThatIsFullBlocksNobodyAndEverythingIsPublished() {
    String destination = server.newDestination();
    Broker broker =
        KafkaBroker.named("kafka")
            .properties(
                () ->
                    Map.of(
                        "bootstrap.servers",
                        server.kafka.bootstrapServers(),
                        "max.request.size",
                        "100000",
                        "batch.size",
                        "16384",
                        "buffer.memory",
                        "100000"))
            .build();
    List<String> destinations =
        List.of(
            destination,
            server.newDestination(),
            server.newDestination(),
            server.newDestination(),
            server.newDestination(),
            server.newDestination(),
            server.newDestination(),
            server.newDestination());
    List<OutboxRecord> records =
        IntStream.range(0, 2000)
            .mapToObj(i -> Records.record(destinations.get(i % 8), "k" + i % 20, new byte[5000]))
            .toList();

    publish(open(broker), records);

    outcomes().expectPublished(records);
  }

  @Test
  void theDevelopmentTopologyCreatesTopicsAndLeavesExistingOnes() {
    String destination = server.missingDestination();
    String topic = KafkaUnderTest.topic(destination);
    Map<String, String> settings = Map.of("bootstrap.servers", server.kafka.bootstrapServers());

    KafkaTopology.forDevelopment(2).create(settings, List.of(topic));
    KafkaTopology.forDevelopment(2).create(settings, List.of(topic));

    OutboxRecord record = Records.record(destination, "k", "p");
    publish(open(), List.of(record));
    outcomes().expectPublished(List.of(record));
  }

  @ParameterizedTest
  @ValueSource(strings = {"kafka:no such topic", "kafka:", "kafka@other:orders"})
  void aDestinationThatIsNoTopicOfThisBrokerIsRejected(String destination) {
    OutboxRecord record = Records.record(destination, "k", "p");

    publish(open(), List.of(record));

    assertThat(outcomes().of(record)).isInstanceOf(Outcome.Rejected.class);
  }
}
