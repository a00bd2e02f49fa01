package dev.twinbox.rabbitmq.consumer;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.broker.doctor.UnsafeSettingsException;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** RabbitMQ consumers among settings that could lose messages. */
class RabbitConsumerGuardTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final String name = "guard-" + Messages.id();
  private Connection rabbit;
  private Channel channel;

  @BeforeEach
  void connect() throws Exception {
    rabbit = TestRabbit.shared().connectionFactory().newConnection();
    channel = rabbit.createChannel();
  }

  @AfterEach
  void close() {
    rabbit.abort();
    database.close();
  }

  @Test
  void aRabbitConsumerRefusesAQueueThatCanLoseMessagesUnlessForDevelopment() throws Exception {
    channel.queueDeclare(name, true, false, false, Map.of("x-max-length", 10));

    try (RabbitInboxConsumer consumer = onRabbit().management(management()).build()) {
      assertThatThrownBy(consumer::start)
          .isInstanceOf(UnsafeSettingsException.class)
          .hasMessageContainingAll("rabbitmq queue " + name, "max-length=10", "reject-publish");
    }
    try (RabbitInboxConsumer consumer = onRabbit().management(management()).development().build()) {
      consumer.start();
      awaitConsumer();
    }
    // Without the management interface nothing is known, which is said and does not hinder.
    try (RabbitInboxConsumer consumer = onRabbit().build()) {
      consumer.start();
      awaitConsumer();
    }
  }

  @Test
  void aRabbitConsumerOfASafeQueueStarts() throws Exception {
    channel.queueDeclare(
        name,
        true,
        false,
        false,
        Map.of("x-queue-type", "quorum", "x-single-active-consumer", true));
    try (RabbitInboxConsumer consumer = onRabbit().management(management()).build()) {
      consumer.start();
      awaitConsumer();
    }
  }

  @Test
  void aConsumerRefusesAnInboxWithoutItsKey() {
    database.execute("alter table twinbox.inbox drop constraint inbox_pkey");

    try (RabbitInboxConsumer consumer = onRabbit().build()) {
      assertThatThrownBy(consumer::start)
          .isInstanceOf(UnsafeSettingsException.class)
          .hasMessageContaining("inbox-key-missing");
    }
  }

  @Test
  void aDatabaseThatIsAwayIsLookedAtBeforeAnythingIsTaken() throws Exception {
    channel.queueDeclare(name, true, false, false, Map.of());
    try (FaultProxy proxy = database.proxy()) {
      Inbox away = Inbox.builder().dataSource(database.through(proxy)).consumer("billing").build();
      proxy.refuse();
      try (RabbitInboxConsumer consumer =
          RabbitInboxConsumer.builder()
              .inbox(away)
              .handler(InboxDatabase::effect)
              .queue(name)
              .connectionFactory(TestRabbit.shared().connectionFactory())
              .build()) {
        consumer.start();
        await()
            .during(Duration.ofSeconds(2))
            .atMost(Duration.ofSeconds(10))
            .until(() -> channel.consumerCount(name) == 0);

        proxy.accept();

        awaitConsumer();
      }
    }
  }

  private RabbitInboxConsumer.Builder onRabbit() {
    return RabbitInboxConsumer.builder()
        .inbox(inbox)
        .handler(InboxDatabase::effect)
        .queue(name)
        .connectionFactory(TestRabbit.shared().connectionFactory());
  }

  private static String management() {
    return TestRabbit.shared().managementUri().toString();
  }

  private void awaitConsumer() {
    await().atMost(LONG).until(() -> channel.consumerCount(name) == 1);
  }
}
