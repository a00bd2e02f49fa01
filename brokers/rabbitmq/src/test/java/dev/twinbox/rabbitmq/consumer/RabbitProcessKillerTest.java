package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.inbox.ProcessKillerContract;
import dev.twinbox.testkit.TestRabbit;
import java.util.Map;
import org.junit.jupiter.api.Test;

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
