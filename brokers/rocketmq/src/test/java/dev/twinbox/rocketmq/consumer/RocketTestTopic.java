package dev.twinbox.rocketmq.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.broker.SourceLag;
import dev.twinbox.inbox.Messages;
import dev.twinbox.rocketmq.publisher.RocketBroker;
import dev.twinbox.testkit.TestRocket;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.remoting.exception.RemotingException;

/** A topic of a test's own with a producer, and a look at its group, which has its name. */
final class RocketTestTopic implements AutoCloseable {
  private static final int ATTEMPTS = 5;

  private final TestRocket rocket = TestRocket.shared();
  private final String name = "t-" + UUID.randomUUID();
  private final RocketBroker broker =
      RocketBroker.named("rocketmq").nameServers(rocket.nameServer()).build();
  private final DefaultMQProducer producer = new DefaultMQProducer("twinbox-test");

  RocketTestTopic(int queues) {
    rocket.createTopic(name, queues);
    producer.setNamesrvAddr(rocket.nameServer());
    producer.setInstanceName(name);
    try {
      producer.start();
    } catch (MQClientException e) {
      throw new IllegalStateException(e);
    }
  }

  TestRocket rocket() {
    return rocket;
  }

  String name() {
    return name;
  }

  /** Sends a message as the relay does; returns its id. */
  String send(String key) {
    return send(key, Messages.id());
  }

  String send(String key, String id) {
    send(
        key,
        Map.of("CE_specversion", "1.0", "CE_id", id, "CE_partitionkey", key),
        "x".getBytes(UTF_8));
    return id;
  }

  void send(String key, Map<String, String> properties, byte[] body) {
    Message message = new Message(name, body);
    properties.forEach(message::putUserProperty);
    Exception last = null;
    for (int i = 0; i < ATTEMPTS; i++) {
      try {
        if (producer.send(message, new SelectMessageQueueByHash(), key).getSendStatus()
            == SendStatus.SEND_OK) {
          return;
        }
      } catch (MQClientException | RemotingException | MQBrokerException e) {
        last = e;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
    throw new IllegalStateException("Not sent", last);
  }

  /** How many messages lie before the group's offsets, all queues together. */
  long committed() {
    SourceLag lag = broker.lag(name, List.of(name)).get(0);
    return lag.partitions().stream()
        .mapToLong(queue -> queue.committed() == null ? 0 : queue.committed())
        .sum();
  }

  @Override
  public void close() {
    producer.shutdown();
    broker.close();
  }
}
