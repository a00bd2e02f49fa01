package dev.twinbox.rabbitmq.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.TestPostgres;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The database goes away while RabbitMQ is up. */
class RabbitOutageTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final TestPostgres server = TestPostgres.start();
  private final InboxDatabase database = InboxDatabase.on(server);
  private final Inbox inbox = database.inbox("billing").build();

  @AfterEach
  void close() {
    database.close();
    server.close();
  }

  @Test
  void rabbitConsumptionPausesWhileTheDatabaseIsDownAndResumesByItself() throws Exception {
    String queue = "outage-" + Messages.id();
    try (Connection connection = TestRabbit.shared().connectionFactory().newConnection();
        Channel channel = connection.createChannel();
        RabbitInboxConsumer consumer =
            RabbitInboxConsumer.builder()
                .development()
                .inbox(inbox)
                .handler(InboxDatabase::effect)
                .queue(queue)
                .connectionFactory(TestRabbit.shared().connectionFactory())
                .prefetch(100)
                .build()) {
      channel.queueDeclare(queue, true, false, false, Map.of());
      consumer.start();
      List<String> ids = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        ids.add(send(channel, queue));
      }
      await().atMost(PATIENCE).until(() -> database.effects().size() == 50);

      server.stopImmediately();
      for (int i = 0; i < 150; i++) { // more than the prefetch
        ids.add(send(channel, queue));
      }
      // What waits beyond the prefetch can only be seen here if nothing is acknowledged.
      await()
          .during(Duration.ofSeconds(2))
          .atMost(Duration.ofSeconds(10))
          .until(() -> channel.messageCount(queue) == 50);
      server.restart();

      await().atMost(PATIENCE).ignoreExceptions().until(() -> database.effects().size() == 200);
      consumer.close();
      assertThat(database.effects()).isEqualTo(ids);
      assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
      assertThat(channel.basicGet(queue, true)).isNull();
      channel.queueDelete(queue);
    }
  }

  private static String send(Channel channel, String queue) throws Exception {
    String id = Messages.id();
    channel.basicPublish(
        "", queue, new BasicProperties.Builder().messageId(id).build(), new byte[0]);
    return id;
  }
}
