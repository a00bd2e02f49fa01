package dev.twinbox.kafka.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.broker.doctor.UnsafeSettingsException;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.TestKafka;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Kafka consumers among settings that could lose messages. */
class KafkaConsumerGuardTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final String name = "guard-" + Messages.id();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aKafkaConsumerRefusesATopicThatCanLoseMessagesUnlessForDevelopment() {
    TestKafka.shared().createTopic(name, 1);

    try (KafkaInboxConsumer consumer = onKafka().build()) {
      assertThatThrownBy(consumer::start)
          .isInstanceOf(UnsafeSettingsException.class)
          .hasMessageContainingAll(
              "Consumer billing does not start", "kafka:" + name, "replication factor 1");
    }
    try (KafkaInboxConsumer consumer = onKafka().development().build()) {
      assertThat(consumer.start()).isSameAs(consumer);
    }
  }

  private KafkaInboxConsumer.Builder onKafka() {
    return KafkaInboxConsumer.builder()
        .inbox(inbox)
        .handler(InboxDatabase::effect)
        .topics(name)
        .property("bootstrap.servers", TestKafka.shared().bootstrapServers())
        .property("group.id", name);
  }
}
