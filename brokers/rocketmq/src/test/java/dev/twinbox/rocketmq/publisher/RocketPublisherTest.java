package dev.twinbox.rocketmq.publisher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.Publisher;
import dev.twinbox.contract.Arrived;
import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.PublisherContract;
import dev.twinbox.contract.Records;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RocketPublisherTest extends PublisherContract {
  private static RocketUnderTest server;

  @BeforeAll
  static void startServer() {
    server = new RocketUnderTest();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Override
  protected BrokerUnderTest server() {
    return server;
  }

  @Test
  void theWireFormatIsPropertiesNamedAsCloudEventsLibraryDoes() {
    String destination = server.newDestination();
    OutboxRecord record =
        Records.record(
            destination,
            "order-1",
            "{}".getBytes(UTF_8),
            "application/json",
            Instant.parse("2030-01-01T00:00:00Z"),
            List.of(
                new OutboxRecord.Header("ce_source", "/shop"),
                new OutboxRecord.Header("ce_traceparent", "00-a-b-01"),
                new OutboxRecord.Header("colour", "grün")));

    publish(open(), List.of(record));

    outcomes().expectPublished(List.of(record));
    MessageExt message = server.messages(destination).get(0);
    assertThat(new String(message.getBody(), UTF_8)).isEqualTo("{}");
    assertThat(message.getTags()).isEqualTo("placed");
    assertThat(message.getKeys()).isEqualTo(record.id().toString());
    assertThat(message.getQueueId()).isEqualTo(RocketPublisher.index("order-1", 4));
    assertThat(message.getProperties())
        .containsAllEntriesOf(
            Map.ofEntries(
                Map.entry("CE_specversion", "1.0"),
                Map.entry("CE_id", record.id().toString()),
                Map.entry("CE_source", "/shop"),
                Map.entry("CE_type", "order.placed"),
                Map.entry("CE_time", "2026-11-22T08:33:01.000123Z"),
                Map.entry("CE_destination", destination),
                Map.entry("CE_partitionkey", "order-1"),
                Map.entry("CE_expirytime", "2030-01-01T00:00:00.000000Z"),
                Map.entry("CE_contenttype", "application/json"),
                Map.entry("CE_traceparent", "00-a-b-01"),
                Map.entry("traceparent", "00-a-b-01"),
                Map.entry("colour", "grün"),
                Map.entry("__SHARDINGKEY", "order-1")));
  }

  @ParameterizedTest
  @CsvSource({"DELAY, 3", "KEYS, mine", "__SHARDINGKEY, other", "empty, ''", "parted, a\u0001b"})
  void aHeaderThatRocketMqCannotCarryRejectsItsMessageOnly(String name, String value) {
    String destination = server.newDestination();
    OutboxRecord refused =
        Records.record(
            destination,
            "k",
            "p".getBytes(UTF_8),
            null,
            null,
            List.of(new OutboxRecord.Header(name, value)));
    OutboxRecord next = Records.record(destination, "k", "next");

    publish(open(), List.of(refused, next));

    assertThat(outcomes().of(refused))
        .isInstanceOfSatisfying(
            Outcome.Rejected.class, is -> assertThat(is.reason()).isEqualTo(Reason.MALFORMED));
    outcomes().expectPublished(List.of(next));
  }

  @Test
  void headersAboveTheBrokersLimitRejectTheMessageOnly() {
    String destination = server.newDestination();
    OutboxRecord fat =
        Records.record(
            destination,
            "k",
            "p".getBytes(UTF_8),
            null,
            null,
            List.of(new OutboxRecord.Header("fat", "x".repeat(40_000))));
    OutboxRecord next = Records.record(destination, "k", "next");

    publish(open(), List.of(fat, next));

    assertThat(outcomes().of(fat)).isInstanceOf(Outcome.Rejected.class);
    outcomes().expectPublished(List.of(next));
  }

  @Test
  void aLostConnectionMakesWhatIsUnderWayUnknownAndNothingIsLostOrTurnedRound() {
    String destination = server.newDestination();
    List<OutboxRecord> records =
        IntStream.range(0, 1000)
            .mapToObj(i -> Records.record(destination, "k" + i % 40, "p" + i))
            .toList();
    Broker broker = broker();
    Outcomes first = new Outcomes();
    try (Publisher publisher = open(broker)) {
      records.subList(0, 500).forEach(record -> publisher.publish(record, first));
      await().until(() -> first.count() >= 100);
      // No answer comes through any more, so something is under way for certain.
      server.rocket.brokerProxy(0).dropResponses();
      records.subList(500, 1000).forEach(record -> publisher.publish(record, first));
      server.rocket.brokerProxy(0).cut();
      records.forEach(first::of);
    }
    server.rocket.brokerProxy(0).restore();
    List<OutboxRecord> left =
        records.stream().filter(r -> !(first.now(r) instanceof Outcome.Published)).toList();
    assertThat(left).isNotEmpty();

    publishUntilSettled(broker, left);

    List<Arrived> arrived = server.read(destination);
    for (int k = 0; k < 40; k++) {
      String key = "k" + k;
      assertThat(
              arrived.stream()
                  .filter(message -> key.equals(message.key()))
                  .map(Arrived::id)
                  .distinct()
                  .toList())
          .isEqualTo(ids(records.stream().filter(r -> key.equals(r.key())).toList()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "retryTimesWhenSendAsyncFailed, 1, retry.times",
    "retry.times.when.send.failed, 2, retry.times",
    "retryAnotherBrokerWhenNotStoreOK, true, retry.another",
    "namesrv.addr, ' ', namesrv.addr",
    "access.key, alone, secret.key",
    "misspelt, 1, misspelt",
  })
  void aSettingThatBreaksAGuaranteeOrHasNoEffectIsRefused(String name, String value, String named) {
    RocketBroker.Builder builder =
        RocketBroker.named("rocketmq")
            .properties(
                name.equals("namesrv.addr")
                    ? Map.of(name, value)
                    : Map.of("namesrv.addr", "127.0.0.1:9876", name, value));

    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(named);
  }

  @Test
  void settingsMayHaveDots() {
    RocketSettings settings =
        new RocketSettings(
            "rocketmq",
            () ->
                Map.of("namesrv.addr", "127.0.0.1:1", "use.tls", "true", "max.message.size", "77"),
            producer -> {});

    DefaultMQProducer producer = settings.producer("test");

    assertThat(producer.isUseTLS()).isTrue();
    assertThat(producer.getMaxMessageSize()).isEqualTo(77);
    assertThat(producer.getNamesrvAddr()).isEqualTo("127.0.0.1:1");
  }
}
