package dev.twinbox.rabbitmq.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.TestPostgres;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * PostgreSQL crashes right after an acknowledgement. Its default is {@code synchronous_commit=off},
 * and its WAL writer is slow: what is not flushed by its commit is gone.
 */
class RabbitCrashAfterAckTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String LAST = "the last of a round";

  private final TestPostgres server =
      TestPostgres.builder()
          .setting("synchronous_commit", "off")
          .setting("wal_writer_delay", "10s")
          .start();
  private final InboxDatabase database = InboxDatabase.on(server);
  private final Inbox inbox = database.inbox("billing").build();
  private final String name = "crash-" + Messages.id();

  @AfterEach
  void close() {
    database.close();
    server.close();
  }

  @Test
  void whatRabbitWasToldIsThereAfterACrash() throws Exception {
    rabbitRounds(2);
  }

  @Tag("long")
  @Test
  void whatRabbitWasToldIsThereAfterFiftyCrashes() throws Exception {
    rabbitRounds(50);
  }

  /** With a prefetch of 1 a message comes when the one before it was acknowledged. */
  private void rabbitRounds(int rounds) throws Exception {
    Semaphore lastHasCome = new Semaphore(0);
    Handler handler =
        (delivery, work) -> {
          if (LAST.equals(delivery.type())) {
            lastHasCome.release();
          }
          InboxDatabase.effect(delivery, work);
        };
    try (Connection connection = TestRabbit.shared().connectionFactory().newConnection();
        Channel channel = connection.createChannel()) {
      channel.queueDeclare(name, true, false, false, Map.of());
      RabbitInboxConsumer consumer =
          RabbitInboxConsumer.builder()
              .inbox(inbox)
              .handler(handler)
              .queue(name)
              .connectionFactory(TestRabbit.shared().connectionFactory())
              .prefetch(1)
              .build()
              .start();
      List<String> acknowledged = new ArrayList<>();
      for (int round = 1; round <= rounds; round++) {
        for (int i = 0; i < 5; i++) {
          acknowledged.add(send(channel, "ordinary"));
        }
        String last = send(channel, LAST);
        await().atMost(PATIENCE).until(lastHasCome::tryAcquire);
        crash();
        assertThat(database.effects()).as("after crash %s", round).containsAll(acknowledged);
        await().atMost(PATIENCE).ignoreExceptions().until(() -> database.effects().contains(last));
        lastHasCome.drainPermits();
        acknowledged.add(last);
      }
      assertThat(database.effects()).isEqualTo(acknowledged);
      consumer.close();
      channel.queueDelete(name);
    }
  }

  private String send(Channel channel, String type) throws Exception {
    String id = Messages.id();
    channel.basicPublish(
        "", name, new BasicProperties.Builder().messageId(id).type(type).build(), new byte[0]);
    return id;
  }

  private void crash() {
    server.stopImmediately();
    server.restart();
    await().atMost(PATIENCE).ignoreExceptions().until(() -> database.count("select 1") == 1);
  }
}
