package dev.twinbox.rabbitmq.doctor;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Address;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.broker.SourceLag;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Asks a RabbitMQ queue how many messages are ready, by a passive declaration. */
public final class QueueDepth {
  private QueueDepth() {}

  /**
   * What cannot be read is said in place of the lag.
   *
   * @param broker its name, as in {@code rabbitmq@eu}
   * @param addresses of a cluster's nodes, in place of the factory's own, or null
   */
  public static SourceLag read(
      String broker, ConnectionFactory factory, @Nullable String addresses, String queue) {
    String consumer = broker + ":" + queue;
    try (Connection connection = connect(factory, addresses);
        Channel channel = connection.createChannel()) {
      AMQP.Queue.DeclareOk found = channel.queueDeclarePassive(queue);
      return new SourceLag(
          consumer,
          queue,
          (long) found.getMessageCount(),
          found.getConsumerCount(),
          List.of(),
          null);
    } catch (IllegalArgumentException e) {
      // Of the addresses, which the client's complaint repeats.
      return SourceLag.unreadable(
          consumer, queue, "%s.addresses is no list of host:port,host:port".formatted(broker));
    } catch (IOException | TimeoutException | RuntimeException e) {
      Throwable told = e.getCause() == null ? e : e.getCause();
      return SourceLag.unreadable(consumer, queue, told);
    }
  }

  private static Connection connect(ConnectionFactory factory, @Nullable String addresses)
      throws IOException, TimeoutException {
    return addresses == null
        ? factory.newConnection("twinbox-status")
        : factory.newConnection(List.of(Address.parseAddresses(addresses)), "twinbox-status");
  }
}
