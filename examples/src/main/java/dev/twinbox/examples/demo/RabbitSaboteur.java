package dev.twinbox.examples.demo;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import dev.twinbox.examples.common.StreamReading;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Reads a stream and repeats messages at the exchange where they came in. */
final class RabbitSaboteur extends Saboteur {
  /** Set by the broker on what it delivers from a stream. */
  private static final String STREAM_OFFSET = "x-stream-offset";

  private final Connection connection;
  private final Channel publishing;

  private RabbitSaboteur(ConnectionFactory factory) throws IOException, TimeoutException {
    connection = factory.newConnection("saboteur");
    publishing = connection.createChannel();
    publishing.confirmSelect();
  }

  static RabbitSaboteur start(ConnectionFactory factory, String stream)
      throws IOException, TimeoutException {
    RabbitSaboteur saboteur = new RabbitSaboteur(factory);
    StreamReading.begin(
        saboteur.connection.createChannel(), stream, (tag, message) -> saboteur.saw(message));
    return saboteur;
  }

  @Override
  public void close() {
    try (connection) {
      publishing.waitForConfirmsOrDie(TimeUnit.SECONDS.toMillis(30));
    } catch (IOException | TimeoutException e) {
      throw new IllegalStateException("The repeated messages were not confirmed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void saw(Delivery message) throws IOException {
    BasicProperties properties = message.getProperties();
    if (wantsToRepeat(UUID.fromString(properties.getMessageId()))) {
      Map<String, Object> headers = new HashMap<>(properties.getHeaders());
      headers.remove(STREAM_OFFSET);
      publishing.basicPublish(
          message.getEnvelope().getExchange(),
          message.getEnvelope().getRoutingKey(),
          properties.builder().headers(headers).build(),
          message.getBody());
    }
  }
}
