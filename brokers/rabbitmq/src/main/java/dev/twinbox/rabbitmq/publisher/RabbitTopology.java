package dev.twinbox.rabbitmq.publisher;

import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.rabbitmq.RabbitRoute;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/**
 * Declares exchanges and queues, for development and demonstrations; in production they belong to
 * whoever runs the broker. What exists with the same properties is left as it is.
 *
 * @param singleActiveConsumer whether only one consumer of a queue gets messages at a time, which
 *     keeps their order when there are several consumers
 */
public record RabbitTopology(boolean singleActiveConsumer) {
  private static final String DEAD_LETTERS = ".dead-letters";

  /** Queues that keep order with any number of consumers. */
  public static RabbitTopology ordered() {
    return new RabbitTopology(true);
  }

  /**
   * Declares a durable topic exchange, a quorum queue and the binding between them; for the default
   * exchange only the queue. Beside the queue one for what it gives up, of the same name with
   * {@code .dead-letters}: what came back more than 20 times, from RabbitMQ 4 on.
   *
   * @param route its routing key may be a pattern, as in {@code shop/order.*}
   * @param queue the queue's name; with the default exchange, the routing key
   * @throws IOException if the broker refuses, as when they exist with other properties
   * @throws TimeoutException if the broker does not answer
   */
  public void declare(ConnectionFactory factory, RabbitRoute route, String queue)
      throws IOException, TimeoutException {
    boolean named = !route.exchange().isEmpty();
    if (!named && !queue.equals(route.routingKey())) {
      throw new IllegalArgumentException(
          "%s reaches the queue %s only. Declare that, or name an exchange."
              .formatted(route, route.routingKey()));
    }
    try (Connection connection = factory.newConnection("twinbox-topology");
        Channel channel = connection.createChannel()) {
      String deadLetters = queue + DEAD_LETTERS;
      channel.queueDeclare(deadLetters, true, false, false, Map.of("x-queue-type", "quorum"));
      // Since version 4 a quorum queue gives a message up after 20 deliveries. Only at-least-once
      // loses none then, and needs a queue that refuses instead of dropping.
      channel.queueDeclare(
          queue,
          true,
          false,
          false,
          Map.of(
              "x-queue-type",
              "quorum",
              "x-single-active-consumer",
              singleActiveConsumer,
              "x-dead-letter-exchange",
              "",
              "x-dead-letter-routing-key",
              deadLetters,
              "x-dead-letter-strategy",
              "at-least-once",
              "x-overflow",
              "reject-publish"));
      if (named) {
        channel.exchangeDeclare(route.exchange(), BuiltinExchangeType.TOPIC, true);
        channel.queueBind(queue, route.exchange(), route.routingKey());
      }
    }
  }
}
