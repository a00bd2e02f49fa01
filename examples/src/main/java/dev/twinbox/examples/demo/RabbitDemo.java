package dev.twinbox.examples.demo;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.broker.Broker;
import dev.twinbox.cli.CommandException;
import dev.twinbox.examples.common.StreamReading;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.rabbitmq.RabbitRoute;
import dev.twinbox.rabbitmq.consumer.RabbitInboxConsumer;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.rabbitmq.publisher.RabbitTopology;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * A RabbitMQ node of the demo's own. Beside the consumer's queue a stream is bound to the same
 * exchange: it keeps what passed, where a queue forgets, and a queue's length lags.
 */
final class RabbitDemo implements DemoBroker {
  private final TestRabbit rabbit;
  private final AcknowledgedDeliveries acknowledged = new AcknowledgedDeliveries();
  // A node from the environment may hold what an earlier demo left.
  private final String run = UUID.randomUUID().toString().substring(0, 8);
  private final RabbitRoute route = new RabbitRoute("shop-" + run, "order.placed");
  private final String queue = "billing-" + run;
  private final String everything = "everything-" + run;

  private RabbitDemo(TestRabbit rabbit) {
    this.rabbit = rabbit;
  }

  static DemoBroker start() {
    RabbitDemo started = new RabbitDemo(startNode());
    try {
      RabbitTopology.ordered().declare(started.factory(), started.route, started.queue);
    } catch (IOException | TimeoutException e) {
      throw failed(e);
    }
    started.onChannel(
        channel -> {
          channel.queueDeclare(
              started.everything, true, false, false, Map.of("x-queue-type", "stream"));
          channel.queueBind(started.everything, started.route.exchange(), "#");
        });
    return started;
  }

  private static TestRabbit startNode() {
    try {
      return TestRabbit.start();
    } catch (IllegalStateException e) {
      throw new CommandException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
  }

  @Override
  public String destination() {
    return "rabbitmq:" + route;
  }

  @Override
  public Broker forRelay() {
    return RabbitBroker.named("rabbitmq").uri(rabbit.uri().toString()).build();
  }

  @Override
  public AutoCloseable consume(Receiver receiver) {
    ConnectionFactory counted = factory();
    counted.setMetricsCollector(acknowledged);
    return RabbitInboxConsumer.builder()
        .receiver(receiver)
        .queue(queue)
        .connectionFactory(counted)
        .prefetch(500)
        .batchSize(200)
        .development()
        .build()
        .start();
  }

  @Override
  public Saboteur sabotage() {
    try {
      return RabbitSaboteur.start(factory(), everything);
    } catch (IOException | TimeoutException e) {
      throw failed(e);
    }
  }

  @Override
  public long held() {
    AtomicLong count = new AtomicLong();
    read(id -> count.incrementAndGet());
    return count.get();
  }

  /** The client library counts what the consumer acknowledged; the inbox is not asked. */
  @Override
  public long delivered() {
    return acknowledged.count();
  }

  @Override
  public void read(Consumer<UUID> reader) {
    onChannel(
        channel ->
            StreamReading.toItsEnd(
                channel,
                everything,
                message -> reader.accept(UUID.fromString(message.getProperties().getMessageId()))));
  }

  @Override
  public String howToConnect() {
    return "%s (user and password: %s), exchange %s"
        .formatted(rabbit.managementUri(), rabbit.user(), route.exchange());
  }

  @Override
  public void close() {
    try {
      onChannel(
          channel -> {
            channel.queueDelete(queue);
            channel.queueDelete(everything);
            channel.exchangeDelete(route.exchange());
          });
    } finally {
      rabbit.close();
    }
  }

  private ConnectionFactory factory() {
    return rabbit.connectionFactory();
  }

  /** Something done with a channel. */
  private interface Work {
    void on(Channel channel) throws IOException, TimeoutException, InterruptedException;
  }

  private void onChannel(Work work) {
    try (Connection connection = factory().newConnection("demo");
        Channel channel = connection.createChannel()) {
      work.on(channel);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failed(e);
    } catch (IOException | TimeoutException e) {
      throw failed(e);
    }
  }

  private static IllegalStateException failed(Exception e) {
    return new IllegalStateException("RabbitMQ did not do what the demo asked for", e);
  }
}
