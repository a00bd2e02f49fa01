package dev.twinbox.rabbitmq.consumer;

import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.inbox.ProcessKillerContract;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A message at which the consumer's process dies, each time, among harmless ones. */
class RabbitProcessKillerTest extends ProcessKillerContract {
  @Test
  void aRabbitMessageThatKillsItsProcessIsQuarantinedAfterItsAttempts() throws Exception {
    TestRabbit rabbit = TestRabbit.shared();
    try (Connection connection = rabbit.connectionFactory().newConnection();
        Channel channel = connection.createChannel()) {
      channel.queueDeclare(name, true, false, false, Map.of());
      for (String id : ids) {
        channel.basicPublish(
            "", name, new BasicProperties.Builder().messageId(id).build(), new byte[0]);
      }

      dieUntilQuarantined(RabbitConsumerProcess.class, rabbit.uri().toString());

      channel.queueDelete(name);
    }
  }
}
