package dev.twinbox.kafka.publisher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.Records;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** Failures that a real broker does not produce on request. */
class KafkaFailureTest {
  private static final Node NODE = new Node(0, "localhost", 9);
  private static final PartitionInfo PARTITION =
      new PartitionInfo("orders", 0, NODE, new Node[] {NODE}, new Node[] {NODE});

  private final MockProducer<byte[], byte[]> client =
      new MockProducer<>(
          new Cluster("id", List.of(NODE), List.of(PARTITION), Set.of(), Set.of()),
          false,
          null,
          new ByteArraySerializer(),
          new ByteArraySerializer());
  private final Outcomes outcomes = new Outcomes();
  private final KafkaPublisher publisher =
      new KafkaPublisher(
          "kafka",
          new KafkaLimits(Duration.ofSeconds(5), Duration.ofSeconds(30), 2_000),
          new PublicationTime().choose(),
          () -> {},
          closed -> {});

  @Test
  void afterAnUnknownOutcomeNothingIsSentAnyMoreAndTheClientIsClosed() {
    publisher.opened(client);
    publish(1);
    client.completeNext();
    List<OutboxRecord> records = publish(10);
    int sent = client.history().size();

    client.completeNext();
    client.errorNext(new OutOfOrderSequenceException("gap"));
    while (client.completeNext()) {
      // What the client still had.
    }

    assertThat(outcomes.of(records.get(0))).isEqualTo(Outcome.PUBLISHED);
    assertThat(outcomes.of(records.get(1))).isInstanceOf(Outcome.Unknown.class);
    assertThat(client.history()).hasSizeLessThanOrEqualTo(sent + 1);
    assertThat(outcomes.of(records.get(9))).isInstanceOf(Outcome.Unknown.class);
    await().until(client::closed);
    List<OutboxRecord> late = publish(1);
    assertThat(outcomes.of(late.get(0))).isInstanceOf(Outcome.Unknown.class);
  }

  /**
   * A broker takes any sequence number from a client that it does not know: while it turns the
   * first batch away, it may take the second.
   */
  @Test
  void untilAPartitionHasConfirmedSomethingTheRecordsOfAKeyGoOneByOne() {
    publisher.opened(client);
    publish("a", "a1");
    publish("a", "a2");
    publish("b", "b1");
    assertThat(sent()).containsExactly("a1", "b1");

    client.completeNext();

    assertThat(sent()).containsExactly("a1", "b1", "a2");
    publish("a", "a3");
    assertThat(sent()).containsExactly("a1", "b1", "a2", "a3");
  }

  private void publish(String key, String payload) {
    publisher.publish(Records.record("kafka:orders", key, payload), outcomes);
  }

  private List<String> sent() {
    return client.history().stream().map(sent -> new String(sent.value(), UTF_8)).toList();
  }

  @Test
  void aFencedProducerMakesItsMessagesUnknown() {
    publisher.opened(client);
    client.sendException = new ProducerFencedException("fenced");

    List<OutboxRecord> records = publish(2);

    assertThat(records)
        .allSatisfy(r -> assertThat(outcomes.of(r)).isInstanceOf(Outcome.Unknown.class));
    await().until(client::closed);
  }

  @Test
  void onlySoManyBytesOfATopicAreWithTheClient() {
    publisher.opened(client);
    List<OutboxRecord> records = publish(20);

    assertThat(client.history()).hasSizeBetween(1, 6);
    while (outcomes.count() < 20) {
      assertThat(client.completeNext()).isTrue();
    }

    outcomes.expectPublished(records);
    assertThat(client.history()).hasSize(20);
  }

  @Test
  void whatIsHandedOverBeforeTheClientIsThereIsSentInOrderOnceItIs() {
    List<OutboxRecord> records = publish(2);
    assertThat(outcomes.count()).isZero();

    publisher.opened(client);
    while (outcomes.count() < 2) {
      assertThat(client.completeNext()).isTrue();
    }

    outcomes.expectPublished(records);
  }

  @Test
  void whatWasSentBeforeTheStopIsGivenUpInTimeToo() {
    publisher.opened(client);
    List<OutboxRecord> sent = publish(1);
    client.partitionsForException = new TopicAuthorizationException("secret");
    OutboxRecord forbidden = Records.record("kafka:secret", "other", "p");
    publisher.publish(forbidden, outcomes);
    assertThat(outcomes.of(forbidden)).isInstanceOf(Outcome.Unavailable.class);
    assertThat(outcomes.now(sent.get(0))).isNull();

    publisher.tick(System.nanoTime() + Duration.ofSeconds(31).toNanos());

    assertThat(outcomes.of(sent.get(0))).isInstanceOf(Outcome.Unavailable.class);
    await().until(client::closed);
  }

  @Test
  void aClientThatIsNeverReadyIsGivenUp() {
    List<OutboxRecord> records = publish(2);

    publisher.tick(System.nanoTime() + Duration.ofSeconds(31).toNanos());

    assertThat(records)
        .allSatisfy(r -> assertThat(outcomes.of(r)).isInstanceOf(Outcome.Unavailable.class));
  }

  @Test
  void aClientThatCannotBeMadeIsSaid() {
    OutboxRecord record = Records.record("kafka:orders", "k", "p");
    try (KafkaBroker broker =
        KafkaBroker.named("kafka")
            .properties(
                () ->
                    Map.of(
                        "bootstrap.servers", "localhost:9",
                        "security.protocol", "SSL",
                        "ssl.keystore.location", "no-such-file"))
            .build()) {
      broker.open(0).publish(record, outcomes);

      assertThat(outcomes.of(record))
          .isInstanceOfSatisfying(
              Outcome.Unavailable.class, is -> assertThat(is.detail()).contains("key store"));
    }
  }

  @Test
  void aClientThatComesAfterCloseIsClosed() {
    List<OutboxRecord> records = publish(2);
    publisher.close();

    publisher.opened(client);

    await().until(client::closed);
    assertThat(client.history()).isEmpty();
    assertThat(outcomes.of(records.get(0))).isInstanceOf(Outcome.Unknown.class);
  }

  private List<OutboxRecord> publish(int count) {
    List<OutboxRecord> records = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      OutboxRecord record = Records.record("kafka:orders", "k", "payload " + i);
      records.add(record);
      publisher.publish(record, outcomes);
    }
    return records;
  }
}
