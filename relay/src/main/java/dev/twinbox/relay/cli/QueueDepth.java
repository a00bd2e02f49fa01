package dev.twinbox.relay.cli;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.relay.rabbitmq.RabbitBroker;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeoutException;

/** Asks a RabbitMQ queue how many messages are ready, by a passive declaration. */
final class QueueDepth {
  private QueueDepth() {}

  static ConsumerLag read(RabbitBroker broker, String queue) {
    String consumer = broker.name() + ":" + queue;
    try (Connection connection = broker.connectionFactory().newConnection("twinbox-status");
        Channel channel = connection.createChannel()) {
      AMQP.Queue.DeclareOk found = channel.queueDeclarePassive(queue);
      return new ConsumerLag(
          consumer,
          queue,
          (long) found.getMessageCount(),
          found.getConsumerCount(),
          List.of(),
          null);
    } catch (IOException | TimeoutException | RuntimeException e) {
      Throwable told = e.getCause() == null ? e : e.getCause();
      return ConsumerLag.unreadable(consumer, queue, Explanation.line(told));
    }
  }
}
