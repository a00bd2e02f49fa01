package dev.twinbox.rocketmq.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.doctor.UnsafeSettingsException;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One broker; each test with a topic and a database of its own. */
class RocketInboxConsumerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox =
      database
          .inbox("billing")
          .backoff(Backoff.exponential(Duration.ofMillis(100)).giveUpAfter(3))
          .build();
  private final RocketTestTopic topic = new RocketTestTopic(4);
  private final List<AutoCloseable> toClose = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (int i = toClose.size() - 1; i >= 0; i--) {
      toClose.get(i).close();
    }
    topic.close();
    database.close();
  }

  @Test
  void anOffsetMovesAfterTheDatabasesCommitOnly() throws Exception {
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    topic.send("k");
    start(
        consumer(
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              handling.countDown();
              goOn.await();
            }));
    assertThat(handling.await(90, TimeUnit.SECONDS)).isTrue();

    // Longer than the client's own interval of saving offsets.
    await().during(Duration.ofSeconds(6)).atMost(PATIENCE).until(() -> topic.committed() == 0);
    goOn.countDown();

    await().atMost(PATIENCE).until(() -> topic.committed() == 1);
    assertThat(database.effects()).hasSize(1);
  }

  @Test
  void aSecondMemberTakesOverWhatTheFirstLeaves() {
    RocketInboxConsumer first = start(consumer(InboxDatabase::effect));
    for (int i = 0; i < 50; i++) {
      topic.send("k" + i % 5);
    }
    awaitEffects(1);
    start(consumer(InboxDatabase::effect));
    first.close();
    for (int i = 0; i < 50; i++) {
      topic.send("k" + i % 5);
    }

    awaitEffects(100);
    assertThat(database.effects()).hasSize(100).doesNotHaveDuplicates();
  }

  @Test
  void whatIsAwayAtTheStartIsWaitedFor() {
    topic.send("k");
    topic.rocket().pauseNameServer();
    try {
      start(consumer(InboxDatabase::effect));
    } finally {
      topic.rocket().resumeNameServer();
    }

    awaitEffects(1);
    assertThat(database.effects()).hasSize(1);
  }

  @Test
  void aNameServerThatIsNotThereAtTheStartIsWaitedFor() {
    topic.send("k");
    topic.rocket().killNameServer();
    try {
      start(consumer(InboxDatabase::effect));
    } finally {
      topic.rocket().startNameServer();
    }

    awaitEffects(1);
    assertThat(database.effects()).hasSize(1);
  }

  @Test
  void theWireFormatIsReadAsItIsWritten() throws Exception {
    BlockingQueue<Delivery> arrived = new LinkedBlockingQueue<>();
    String id = Messages.id();
    topic.send(
        "schlüssel",
        Map.of(
            "CE_specversion", "1.0",
            "CE_id", id,
            "CE_source", "/shop",
            "CE_type", "order.placed",
            "CE_time", "2026-11-22T08:33:01.000123Z",
            "CE_destination", "rocketmq:orders/placed",
            "CE_partitionkey", "schlüssel",
            "CE_expirytime", "2126-01-01T00:00:00Z",
            "CE_contenttype", "application/json",
            "farbe", "grün"),
        "{}".getBytes(UTF_8));
    topic.send(
        "schlüssel",
        Map.of("CE_specversion", "1.0", "CE_id", Messages.id(), "CE_tombstone", "true"),
        new byte[1]);
    topic.send(
        "schlüssel",
        Map.of("CE_specversion", "1.0", "CE_id", Messages.id(), "CE_emptydata", "true"),
        new byte[1]);
    start(consumer((delivery, work) -> arrived.add(delivery)));

    Delivery first = arrived.poll(90, TimeUnit.SECONDS);
    assertThat(first).isNotNull();
    assertThat(first.id()).isEqualTo(id);
    assertThat(first.source()).isEqualTo("/shop");
    assertThat(first.type()).isEqualTo("order.placed");
    assertThat(first.key()).isEqualTo("schlüssel");
    assertThat(first.destination()).isEqualTo("rocketmq:orders/placed");
    assertThat(first.contentType()).isEqualTo("application/json");
    assertThat(first.time()).isEqualTo(Instant.parse("2026-11-22T08:33:01.000123Z"));
    assertThat(first.expiresAt()).isEqualTo(Instant.parse("2126-01-01T00:00:00Z"));
    assertThat(first.headers()).containsExactly(Map.entry("farbe", "grün"));
    assertThat(first.payload()).isEqualTo("{}".getBytes(UTF_8));
    assertThat(first.origin()).startsWith("rocketmq:" + topic.name() + "/broker-");
    Delivery tombstone = arrived.poll(90, TimeUnit.SECONDS);
    assertThat(tombstone).isNotNull();
    assertThat(tombstone.payload()).isNull();
    Delivery empty = arrived.poll(90, TimeUnit.SECONDS);
    assertThat(empty).isNotNull();
    assertThat(empty.payload()).isEmpty();
  }

  @Test
  void aLoneMasterIsRefusedUnlessItIsForDevelopment() {
    RocketInboxConsumer guarded =
        RocketInboxConsumer.builder()
            .inbox(inbox)
            .handler(InboxDatabase::effect)
            .topics(topic.name())
            .nameServers(topic.rocket().nameServer())
            .group(topic.name())
            .build();

    assertThatThrownBy(guarded::start)
        .isInstanceOf(UnsafeSettingsException.class)
        .hasMessageContaining("brokerRole=ASYNC_MASTER")
        .hasMessageContaining("SYNC_MASTER");
  }

  @ParameterizedTest
  @CsvSource({
    "message.model, BROADCASTING",
    "max.reconsume.times, 3",
    "consume.from.where, CONSUME_FROM_LAST_OFFSET",
    "misspelt, 1",
    "consumer.group, ' '",
    "namesrv.addr, ' '",
  })
  void aSettingThatBreaksAGuaranteeIsRefused(String name, String value) {
    RocketInboxConsumer.Builder builder = consumer(InboxDatabase::effect).property(name, value);

    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(name);
  }

  private RocketInboxConsumer.Builder consumer(Handler handler) {
    return RocketInboxConsumer.builder()
        .development()
        .inbox(inbox)
        .handler(handler)
        .topics(topic.name())
        .nameServers(topic.rocket().nameServer())
        .group(topic.name());
  }

  private RocketInboxConsumer start(RocketInboxConsumer.Builder builder) {
    RocketInboxConsumer consumer = builder.build().start();
    toClose.add(consumer);
    return consumer;
  }

  private void awaitEffects(int count) {
    await().atMost(PATIENCE).until(() -> database.effects().size() >= count);
  }
}
