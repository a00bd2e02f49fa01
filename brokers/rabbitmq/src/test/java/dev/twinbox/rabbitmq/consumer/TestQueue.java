package dev.twinbox.rabbitmq.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import dev.twinbox.inbox.Messages;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A durable queue of a test's own, with a publisher. For one thread. */
final class TestQueue implements AutoCloseable {
  private final String name = "q-" + UUID.randomUUID();
  private final Connection connection;
  private final Channel channel;

  TestQueue() {
    try {
      connection = TestRabbit.shared().connectionFactory().newConnection();
      channel = connection.createChannel();
      channel.queueDeclare(name, true, false, false, Map.of("x-single-active-consumer", true));
      channel.confirmSelect();
    } catch (IOException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  String name() {
    return name;
  }

  /** Sends a message as the relay does; returns its id. */
  String send(@Nullable String key) {
    return send(key, Messages.id());
  }

  String send(@Nullable String key, String id) {
    Map<String, Object> headers = new HashMap<>();
    headers.put("cloudEvents_specversion", "1.0");
    headers.put("cloudEvents_id", id);
    if (key != null) {
      headers.put("cloudEvents_partitionkey", key);
    }
    send(
        new BasicProperties.Builder().messageId(id).deliveryMode(2).headers(headers).build(),
        "x".getBytes(UTF_8));
    return id;
  }

  /** Many, without waiting for each. */
  void sendMany(int messages) {
    try {
      for (int i = 0; i < messages; i++) {
        String id = Messages.id();
        Map<String, Object> headers =
            Map.of("cloudEvents_specversion", "1.0", "cloudEvents_id", id);
        channel.basicPublish(
            "",
            name,
            new BasicProperties.Builder().messageId(id).deliveryMode(2).headers(headers).build(),
            new byte[1]);
      }
      channel.waitForConfirmsOrDie(60_000);
    } catch (IOException | InterruptedException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  void send(BasicProperties properties, byte[] body) {
    try {
      channel.basicPublish("", name, true, properties, body);
      channel.waitForConfirmsOrDie(10_000);
    } catch (IOException | InterruptedException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Takes a message without acknowledging it, on a channel that the caller closes. */
  static GetResponse take(Channel channel, String queue) throws IOException {
    GetResponse response = channel.basicGet(queue, false);
    if (response == null) {
      throw new IllegalStateException("The queue is empty");
    }
    return response;
  }

  Channel newChannel() throws IOException {
    return connection.createChannel();
  }

  @Override
  public void close() throws IOException {
    channel.queueDelete(name);
    connection.close();
  }
}
