package dev.twinbox.cli;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Address;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Asks a RabbitMQ queue how many messages are ready, by a passive declaration. */
final class QueueDepth {
  private QueueDepth() {}

  /**
   * @param addresses of a cluster's nodes, in place of the one of the broker's own, or null
   */
  static ConsumerLag read(RabbitBroker broker, @Nullable String addresses, String queue) {
    String consumer = broker.name() + ":" + queue;
    try (Connection connection = connect(broker, addresses);
        Channel channel = connection.createChannel()) {
      AMQP.Queue.DeclareOk found = channel.queueDeclarePassive(queue);
      return new ConsumerLag(
          consumer,
          queue,
          (long) found.getMessageCount(),
          found.getConsumerCount(),
          List.of(),
          null);
    } catch (IllegalArgumentException e) {
      // Of the addresses, which the client's complaint repeats.
      return ConsumerLag.unreadable(
          consumer,
          queue,
          "%s.addresses is no list of host:port,host:port".formatted(broker.name()));
    } catch (IOException | TimeoutException | RuntimeException e) {
      Throwable told = e.getCause() == null ? e : e.getCause();
      return ConsumerLag.unreadable(consumer, queue, Explanation.line(told));
    }
  }

  private static Connection connect(RabbitBroker broker, @Nullable String addresses)
      throws IOException, TimeoutException {
    ConnectionFactory factory = broker.connectionFactory();
    return addresses == null
        ? factory.newConnection("twinbox-status")
        : factory.newConnection(List.of(Address.parseAddresses(addresses)), "twinbox-status");
  }
}
