package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.InboxTransaction;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.FaultProxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One broker; each test with a topic and a database of its own. */
class KafkaInboxConsumerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox =
      database
          .inbox("billing")
          .backoff(Backoff.exponential(Duration.ofMillis(100)).giveUpAfter(3))
          .build();
  private final List<AutoCloseable> toClose = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (int i = toClose.size() - 1; i >= 0; i--) {
      toClose.get(i).close();
    }
    database.close();
  }

  @Tag("essential")
  @Test
  void theLagIsWhatIsNotHandledYet() {
    KafkaTestTopic topic = topic(1);
    CountDownLatch goOn = new CountDownLatch(1);
    KafkaInboxConsumer consumer =
        consumer(
                topic,
                "classic",
                (delivery, work) -> {
                  goOn.await();
                  InboxDatabase.effect(delivery, work);
                })
            .batchSize(1)
            .build()
            .start();
    toClose.add(consumer);
    for (int i = 0; i < 40; i++) {
      topic.send(0, "k");
    }

    await().atMost(PATIENCE).until(() -> consumer.lag().getOrDefault(topic.name() + "-0", 0L) > 30);
    goOn.countDown();
    await().atMost(PATIENCE).until(() -> consumer.lag().values().stream().allMatch(n -> n == 0));
  }

  @Tag("essential")
  /** With the classic protocol the contract says so. */
  @Test
  void repeatedRecordsChangeNothingAndKeysKeepTheirOrderByTheNewProtocol() {
    KafkaTestTopic topic = topic(3);
    Map<String, List<String>> sent = new LinkedHashMap<>();
    for (int i = 0; i < 300; i++) {
      String key = "k" + i % 7;
      String id = topic.send(i % 7 % 3, key);
      sent.computeIfAbsent(key, ignored -> new ArrayList<>()).add(id);
      if (i % 10 == 0) {
        topic.send(i % 7 % 3, key, id);
      }
    }
    start(consumer(topic, "consumer", this::effectWithKey).concurrency(2).batchSize(20));

    awaitEffects(300);
    await().atMost(PATIENCE).until(() -> committed(topic, 3) == 330);
    assertThat(database.effects()).hasSize(300).doesNotHaveDuplicates();
    sent.forEach(
        (key, ids) ->
            assertThat(
                    database.texts(
                        "select id from effect where by_whom = '%s' order by number"
                            .formatted(key)))
                .isEqualTo(ids));
  }

  @Test
  void anOutageOfTheDatabaseDuringARebalanceStopsNobodyForEver() throws Exception {
    KafkaTestTopic topic = topic(2);
    FaultProxy proxy = database.proxy();
    toClose.add(proxy);
    Inbox behindProxy =
        Inbox.builder().dataSource(database.through(proxy)).consumer("billing").build();
    start(consumer(topic, "classic", InboxDatabase::effect).inbox(behindProxy));
    topic.send(0, null);
    topic.send(1, null);
    await().atMost(PATIENCE).until(() -> committed(topic, 2) == 2);

    proxy.refuse();
    proxy.cut();
    topic.send(0, null);
    topic.send(1, null);
    start(consumer(topic, "classic", InboxDatabase::effect).inbox(behindProxy));
    await().atMost(PATIENCE).until(() -> topic.owners() == 2);
    proxy.accept();

    await().atMost(PATIENCE).until(() -> committed(topic, 2) == 4);
    assertThat(database.effects()).hasSize(4).doesNotHaveDuplicates();
  }

  @Test
  void aBatchThatIsInterruptedAtTheEndIsNeitherBegunAgainNorCounted() throws Exception {
    KafkaTestTopic topic = topic(1);
    for (int i = 0; i < 5; i++) {
      topic.send(0, null);
    }
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch handling = new CountDownLatch(1);
    KafkaInboxConsumer consumer =
        consumer(
                topic,
                "classic",
                (delivery, work) -> {
                  calls.incrementAndGet();
                  handling.countDown();
                  new CountDownLatch(1).await();
                })
            .closeLimit(Duration.ofMillis(200))
            .build()
            .start();
    assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

    consumer.close();

    await()
        .during(Duration.ofMillis(500))
        .atMost(Duration.ofSeconds(5))
        .until(() -> calls.get() == 1);
    assertThat(database.count("select count(*) from twinbox.inbox_failure where attempts > 1"))
        .isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void aRebalanceInMidBatchWaitsForTheBatchAndLosesNothing(String protocol)
      throws InterruptedException {
    KafkaTestTopic topic = topic(4);
    for (int i = 0; i < 40; i++) {
      topic.send(i % 4, null);
    }
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    KafkaInboxConsumer.Builder first = consumer(topic, protocol, waiting(handling, goOn));
    start(first.batchSize(10).revokeLimit(Duration.ofSeconds(60)));
    assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

    start(consumer(topic, protocol, InboxDatabase::effect).batchSize(10));
    goOn.countDown();

    await().atMost(PATIENCE).until(() -> topic.owners() == 2);
    for (int i = 0; i < 40; i++) {
      topic.send(i % 4, null);
    }
    awaitEffects(80);
    await().atMost(PATIENCE).until(() -> committed(topic, 4) == 80);
    assertThat(database.effects()).hasSize(80).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void aBatchThatOutlastsTheRebalanceTakesEffectOnce(String protocol) throws InterruptedException {
    KafkaTestTopic topic = topic(2);
    for (int i = 0; i < 10; i++) {
      topic.send(i % 2, null);
    }
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    start(consumer(topic, protocol, waiting(handling, goOn)).revokeLimit(Duration.ofMillis(100)));
    assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

    start(consumer(topic, protocol, InboxDatabase::effect));
    await().atMost(PATIENCE).until(() -> topic.owners() == 2);
    goOn.countDown();

    await().atMost(PATIENCE).until(() -> committed(topic, 2) == 10);
    assertThat(database.effects()).hasSize(10).doesNotHaveDuplicates();
  }

  @Test
  void aFailingRecordHoldsItsPartitionUntilItIsQuarantinedWhileOthersGoOn() {
    KafkaTestTopic topic = topic(2);
    String poison = topic.send(0, "a");
    String behind = topic.send(0, "a");
    List<String> others = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      others.add(topic.send(1, "b"));
    }
    AtomicInteger attempts = new AtomicInteger();
    start(
        consumer(
            topic,
            "classic",
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              if (poison.equals(delivery.id()) && attempts.incrementAndGet() > 0) {
                throw new IllegalStateException("Poison");
              }
            }));

    await().atMost(PATIENCE).until(() -> committed(topic, 2) == 7);
    assertThat(database.quarantined()).containsExactly("attempts-exhausted");
    assertThat(database.effects()).containsAll(others).doesNotContain(poison);
    assertThat(database.effects().indexOf(behind)).isEqualTo(5);
  }

  /** When its commit fails, the record behind it is in hand already. */
  @Test
  void oneByOneARecordWhoseCommitFailsIsTriedAgainBeforeThoseBehindIt() {
    KafkaTestTopic topic = topic(1);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 250; i++) { // more than what may come again after an assignment
      ids.add(topic.send(0, "k"));
    }
    AtomicInteger failures = new AtomicInteger();
    start(
        consumer(
                topic,
                "classic",
                (delivery, work) -> {
                  InboxDatabase.effect(delivery, work);
                  if (ids.get(230).equals(delivery.id()) && failures.incrementAndGet() == 1) {
                    try {
                      work.dsl().execute("select 1/0");
                    } catch (RuntimeException e) {
                      // The mistake: PostgreSQL has aborted the transaction.
                    }
                  }
                })
            .batchSize(1));

    await().atMost(PATIENCE).until(() -> committed(topic, 1) == 250);
    assertThat(database.effects()).isEqualTo(ids);
    assertThat(failures).hasValue(2);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void oneByOneCutConnectionsLoseNothingAndTurnNothingRound() {
    KafkaTestTopic topic = topic(2);
    FaultProxy proxy = database.proxy();
    toClose.add(proxy);
    Inbox behindProxy =
        Inbox.builder().dataSource(database.through(proxy)).consumer("billing").build();
    Map<String, List<String>> sent = new LinkedHashMap<>();
    for (int i = 0; i < 1_000; i++) {
      String key = "k" + i % 2;
      sent.computeIfAbsent(key, ignored -> new ArrayList<>()).add(topic.send(i % 2, key));
    }
    start(consumer(topic, "classic", this::effectWithKey).inbox(behindProxy).batchSize(1));

    for (int reached = 300; reached < 1_000; reached += 100) {
      awaitEffects(reached);
      proxy.cut();
    }

    await().atMost(PATIENCE).until(() -> committed(topic, 2) == 1_000);
    sent.forEach(
        (key, ids) ->
            assertThat(
                    database.texts(
                        "select id from effect where by_whom = '%s' order by number"
                            .formatted(key)))
                .isEqualTo(ids));
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void oneByOneClosingCommitsWhatWasHandledAndLeavesTheRest() throws Exception {
    KafkaTestTopic topic = topic(1);
    for (int i = 0; i < 1_000; i++) {
      topic.send(0, "k");
    }
    KafkaInboxConsumer consumer =
        start(consumer(topic, "classic", InboxDatabase::effect).batchSize(1));
    await().atMost(PATIENCE).until(() -> database.effects().size() >= 300);

    consumer.close();

    int handled = database.effects().size();
    assertThat(handled).isLessThan(1_000);
    assertThat(committed(topic, 1)).isEqualTo(handled);
    assertThat(database.count("select count(*) from twinbox.inbox")).isEqualTo(handled);
  }

  @Test
  void pollingGoesOnWhileAHandlerTakesLongerThanThePollInterval() throws InterruptedException {
    KafkaTestTopic topic = topic(1);
    topic.send(0, null);
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    start(
        consumer(topic, "classic", waiting(handling, goOn))
            .property("max.poll.interval.ms", 1_500)
            .property("session.timeout.ms", 6_000));
    assertThat(handling.await(60, TimeUnit.SECONDS)).isTrue();

    await()
        .during(Duration.ofSeconds(4))
        .atMost(Duration.ofSeconds(8))
        .until(() -> topic.owners() == 1);
    goOn.countDown();

    await().atMost(PATIENCE).until(() -> topic.committed(0) == 1);
  }

  @Tag("essential")
  @Test
  void theWireFormatIsReadAsItIsWritten() throws InterruptedException {
    KafkaTestTopic topic = topic(1);
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("ce_specversion", "1.0");
    headers.put("ce_id", Messages.id());
    headers.put("ce_source", "/shop");
    headers.put("ce_type", "order.placed");
    headers.put("ce_time", "2026-11-22T08:00:00.123+01:00");
    headers.put("ce_destination", "kafka:orders");
    headers.put("ce_expirytime", "2126-01-01T00:00:00Z");
    headers.put("ce_traceparent", "00-1-2-01");
    headers.put("ce_other", "extension");
    headers.put("content-type", "application/json");
    headers.put("mine", "größer");
    topic.send(0, "schlüssel", headers, "{}".getBytes(UTF_8));
    topic.send(0, "schlüssel", Map.of("ce_id", Messages.id()), null);
    BlockingQueue<Delivery> seen = new LinkedBlockingQueue<>();
    start(consumer(topic, "classic", (delivery, work) -> seen.add(delivery)));

    Delivery first = seen.poll(60, TimeUnit.SECONDS);
    Delivery tombstone = seen.poll(60, TimeUnit.SECONDS);
    assertThat(first).isNotNull();
    assertThat(first.id()).isEqualTo(headers.get("ce_id"));
    assertThat(first.source()).isEqualTo("/shop");
    assertThat(first.type()).isEqualTo("order.placed");
    assertThat(first.time()).isEqualTo(Instant.parse("2026-11-22T07:00:00.123Z"));
    assertThat(first.expiresAt()).isEqualTo(Instant.parse("2126-01-01T00:00:00Z"));
    assertThat(first.destination()).isEqualTo("kafka:orders");
    assertThat(first.key()).isEqualTo("schlüssel");
    assertThat(first.contentType()).isEqualTo("application/json");
    assertThat(first.payload()).isEqualTo("{}".getBytes(UTF_8));
    assertThat(first.origin()).isEqualTo("kafka:" + topic.name() + "/0/0");
    assertThat(first.headers())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("mine", "größer", "traceparent", "00-1-2-01", "ce_other", "extension"));
    assertThat(tombstone).isNotNull();
    assertThat(tombstone.payload()).isNull();
  }

  @Tag("essential")
  @Test
  void whatCannotBeReadIsQuarantinedAndTheStreamGoesOn() {
    KafkaTestTopic topic = topic(1);
    topic.send(0, null, Map.of(), "no id".getBytes(UTF_8));
    topic.send(0, null, Map.of("ce_id", Messages.id(), "ce_time", "yesterday"), null);
    ProducerRecord<byte[], byte[]> bytes = new ProducerRecord<>(topic.name(), 0, null, null);
    bytes.headers().add("ce_id", new byte[] {(byte) 0xc3, 0x28});
    topic.send(bytes);
    topic.send(0, null, Map.of("ce_id", Messages.id(), "ce_specversion", "9"), null);
    String good = topic.send(0, null);
    start(consumer(topic, "classic", InboxDatabase::effect));

    await().atMost(PATIENCE).until(() -> topic.committed(0) == 5);
    assertThat(database.quarantined())
        .containsExactly("no-id", "broken-headers", "broken-headers", "broken-headers");
    assertThat(database.effects()).containsExactly(good);
  }

  private void effectWithKey(Delivery delivery, InboxTransaction work) throws Exception {
    InboxDatabase.effect(delivery.id(), String.valueOf(delivery.key()), work.connection());
  }

  private KafkaTestTopic topic(int partitions) {
    KafkaTestTopic topic = new KafkaTestTopic(partitions);
    toClose.add(topic);
    return topic;
  }

  private KafkaInboxConsumer.Builder consumer(
      KafkaTestTopic topic, String protocol, Handler handler) {
    return KafkaInboxConsumer.builder()
        .development()
        .inbox(inbox)
        .handler(handler)
        .topics(topic.name())
        .properties(topic.consumerProperties(protocol));
  }

  private KafkaInboxConsumer start(KafkaInboxConsumer.Builder builder) {
    KafkaInboxConsumer consumer = builder.closeLimit(Duration.ofSeconds(10)).build().start();
    toClose.add(consumer);
    return consumer;
  }

  private void awaitEffects(int count) {
    await().atMost(PATIENCE).until(() -> database.effects().size() >= count);
  }

  private static long committed(KafkaTestTopic topic, int partitions) {
    long sum = 0;
    for (int i = 0; i < partitions; i++) {
      sum += topic.committed(i);
    }
    return sum;
  }

  private static Handler waiting(CountDownLatch handling, CountDownLatch goOn) {
    return (delivery, work) -> {
      InboxDatabase.effect(delivery, work);
      handling.countDown();
      goOn.await();
    };
  }
}
