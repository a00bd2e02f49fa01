package dev.twinbox.examples.common;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DeliverCallback;
import com.rabbitmq.client.Delivery;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Reads a RabbitMQ stream from its first message. */
public final class StreamReading {
  private static final int PREFETCH = 1_000;
  private static final int ACKNOWLEDGE_EVERY = 250;
  private static final int MOST_MINUTES = 30;

  private StreamReading() {}

  /** Begins to read; acknowledging asks for more, it removes nothing. */
  public static void begin(Channel channel, String stream, DeliverCallback reader)
      throws IOException {
    channel.basicQos(PREFETCH);
    channel.basicConsume(
        stream,
        /* autoAck= */ false,
        Map.of("x-stream-offset", "first"),
        (tag, message) -> {
          reader.handle(tag, message);
          if (message.getEnvelope().getDeliveryTag() % ACKNOWLEDGE_EVERY == 0) {
            channel.basicAck(message.getEnvelope().getDeliveryTag(), /* multiple= */ true);
          }
        },
        tag -> {});
  }

  /**
   * Reads what the stream holds now. It writes a mark behind it first, to the stream alone, and
   * reads up to there: a stream does not say where it ends.
   */
  public static void toItsEnd(Channel channel, String stream, Consumer<Delivery> reader)
      throws IOException, TimeoutException, InterruptedException {
    String mark = "end-" + UUID.randomUUID();
    channel.confirmSelect();
    channel.basicPublish(
        "", stream, new BasicProperties.Builder().messageId(mark).build(), new byte[0]);
    channel.waitForConfirmsOrDie(TimeUnit.SECONDS.toMillis(30));
    CountDownLatch end = new CountDownLatch(1);
    begin(
        channel,
        stream,
        (tag, message) -> {
          String id = message.getProperties().getMessageId();
          if (mark.equals(id)) {
            end.countDown();
          } else if (!id.startsWith("end-")) {
            reader.accept(message);
          }
        });
    if (!end.await(MOST_MINUTES, TimeUnit.MINUTES)) {
      throw new TimeoutException(
          "The stream %s was not read within %s minutes".formatted(stream, MOST_MINUTES));
    }
  }
}
