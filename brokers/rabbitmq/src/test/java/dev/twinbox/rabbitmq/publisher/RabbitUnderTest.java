package dev.twinbox.rabbitmq.publisher;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import dev.twinbox.broker.Broker;
import dev.twinbox.contract.Arrived;
import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;

/** One RabbitMQ node, with a proxy between it and the publishers. */
public final class RabbitUnderTest implements BrokerUnderTest, AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 100_000;

  final TestRabbit rabbit = TestRabbit.start();
  final FaultProxy proxy = FaultProxy.to(rabbit.host(), rabbit.port());
  private final Connection direct;

  public RabbitUnderTest() throws IOException, TimeoutException {
    rabbit.control(
        "eval", "application:set_env(rabbit, max_message_size, %s).".formatted(MAX_MESSAGE_BYTES));
    direct = rabbit.connectionFactory().newConnection();
  }

  @Override
  public Broker broker(Duration lookTimeout, Duration confirmTimeout) {
    return builder().blockedTimeout(lookTimeout).confirmTimeout(confirmTimeout).build();
  }

  RabbitBroker.Builder builder() {
    return RabbitBroker.named("rabbitmq").properties(properties());
  }

  Map<String, String> properties() {
    return Map.of(
        "host",
        "127.0.0.1",
        "port",
        Integer.toString(proxy.port()),
        "username",
        rabbit.user(),
        "password",
        rabbit.password(),
        "connection.timeout",
        "1000",
        "handshake.timeout",
        "1000");
  }

  @Override
  public String newDestination() {
    String destination = missingDestination();
    create(destination);
    return destination;
  }

  @Override
  public String missingDestination() {
    return "rabbitmq:exchange-" + UUID.randomUUID() + "/placed";
  }

  @Override
  public void create(String destination) {
    create(destination, Map.of());
  }

  /** A queue of the exchange's name, bound to it. */
  void create(String destination, Map<String, Object> arguments) {
    withChannel(
        channel -> {
          String name = exchange(destination);
          channel.exchangeDeclare(name, BuiltinExchangeType.DIRECT, true);
          channel.queueDeclare(name, true, false, false, arguments);
          channel.queueBind(name, name, "placed");
        });
  }

  @Override
  public int tooManyBytes() {
    return MAX_MESSAGE_BYTES + 1;
  }

  @Override
  public List<Arrived> read(String destination) {
    List<Arrived> arrived = new ArrayList<>();
    for (GetResponse message : messages(exchange(destination))) {
      Map<String, String> headers = new HashMap<>();
      message
          .getProps()
          .getHeaders()
          .forEach((name, value) -> headers.put(name, String.valueOf(value)));
      boolean tombstone = headers.containsKey("cloudEvents_tombstone");
      arrived.add(
          new Arrived(
              message.getProps().getMessageId(),
              headers.get("cloudEvents_partitionkey"),
              tombstone ? null : new String(message.getBody(), UTF_8),
              headers));
    }
    return arrived;
  }

  /** Takes everything from the queue. */
  List<GetResponse> messages(String queue) {
    List<GetResponse> messages = new ArrayList<>();
    withChannel(
        channel -> {
          for (GetResponse next = channel.basicGet(queue, true);
              next != null;
              next = channel.basicGet(queue, true)) {
            messages.add(next);
          }
        });
    return messages;
  }

  /** Puts a message into the queue behind the publisher's back. */
  void put(String queue) {
    withChannel(
        channel -> {
          channel.confirmSelect();
          channel.basicPublish(
              "", queue, new BasicProperties.Builder().headers(Map.of()).build(), new byte[0]);
          try {
            channel.waitForConfirmsOrDie(10_000);
          } catch (InterruptedException | TimeoutException e) {
            throw new IOException(e);
          }
        });
  }

  @Override
  public void takeDown() {
    proxy.refuse();
    proxy.cut();
  }

  @Override
  public void bringBack() {
    proxy.restore();
  }

  @Override
  public void freeze() {
    proxy.freeze();
  }

  @Override
  public void thaw() {
    proxy.thaw();
  }

  @Override
  public void close() {
    direct.abort();
    proxy.close();
    rabbit.close();
  }

  static String exchange(String destination) {
    return destination.substring(destination.indexOf(':') + 1, destination.indexOf('/'));
  }

  private interface Work {
    void on(Channel channel) throws IOException;
  }

  private void withChannel(Work work) {
    try (Channel channel = direct.createChannel()) {
      work.on(channel);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }
}
