package dev.twinbox.examples.soak;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import java.io.IOException;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Takes all that a RabbitMQ queue holds. */
final class QueueReading {
  private static final int PREFETCH = 1_000;
  private static final int ACKNOWLEDGE_EVERY = 250;
  private static final int MOST_MINUTES = 20;

  private QueueReading() {}

  /** Reads the ids of the messages up to a mark that it writes behind what the queue holds. */
  static void drain(Channel channel, String queue, Consumer<UUID> reader)
      throws IOException, TimeoutException, InterruptedException {
    String mark = "end-" + UUID.randomUUID();
    channel.confirmSelect();
    channel.basicPublish(
        "",
        queue,
        new BasicProperties.Builder().messageId(mark).deliveryMode(2).build(),
        new byte[0]);
    channel.waitForConfirmsOrDie(TimeUnit.SECONDS.toMillis(30));
    CountDownLatch end = new CountDownLatch(1);
    // Without a limit RabbitMQ takes one of its own and waits for acknowledgements all the same.
    channel.basicQos(PREFETCH);
    channel.basicConsume(
        queue,
        /* autoAck= */ false,
        (tag, message) -> {
          String id = message.getProperties().getMessageId();
          if (mark.equals(id)) {
            end.countDown();
          } else {
            reader.accept(UUID.fromString(id));
          }
          long number = message.getEnvelope().getDeliveryTag();
          if (number % ACKNOWLEDGE_EVERY == 0) {
            channel.basicAck(number, /* multiple= */ true);
          }
        },
        tag -> {});
    if (!end.await(MOST_MINUTES, TimeUnit.MINUTES)) {
      throw new TimeoutException(
          "The queue %s was not read within %s minutes".formatted(queue, MOST_MINUTES));
    }
  }
}
