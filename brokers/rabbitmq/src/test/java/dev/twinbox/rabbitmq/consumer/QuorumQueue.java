package dev.twinbox.rabbitmq.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;

/** A quorum queue with one active consumer, a delivery limit and a queue for what it gives up. */
record QuorumQueue(Channel channel, String name) {
  static QuorumQueue declare(Channel channel, int deliveryLimit) throws IOException {
    String name = "quorum-" + UUID.randomUUID();
    channel.confirmSelect();
    channel.queueDeclare(dead(name), true, false, false, Map.of());
    channel.queueDeclare(
        name,
        true,
        false,
        false,
        Map.of(
            "x-queue-type",
            "quorum",
            "x-single-active-consumer",
            true,
            "x-delivery-limit",
            deliveryLimit,
            "x-dead-letter-exchange",
            "",
            "x-dead-letter-routing-key",
            dead(name)));
    return new QuorumQueue(channel, name);
  }

  void send(BasicProperties properties, String body)
      throws IOException, InterruptedException, TimeoutException {
    channel.basicPublish("", name, properties, body.getBytes(UTF_8));
    channel.waitForConfirmsOrDie(10_000);
  }

  long ready() throws IOException {
    return channel.messageCount(name);
  }

  /** How many it has given up. */
  long dead() throws IOException {
    return channel.messageCount(dead(name));
  }

  void delete() throws IOException {
    channel.queueDelete(name);
    channel.queueDelete(dead(name));
  }

  private static String dead(String name) {
    return "dead-" + name;
  }
}
