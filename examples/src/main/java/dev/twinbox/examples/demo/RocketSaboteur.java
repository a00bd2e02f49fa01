package dev.twinbox.examples.demo;

import java.util.Collection;
import java.util.UUID;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.exception.RemotingException;

/** Repeats messages of a topic in their queue, properties and all. */
final class RocketSaboteur extends Saboteur {
  private static final long POLL_MILLIS = 50;

  private final DefaultLitePullConsumer consumer = new DefaultLitePullConsumer("saboteur");
  private final DefaultMQProducer producer = new DefaultMQProducer("saboteur");
  private final Thread thread = new Thread(this::work, "saboteur");
  private volatile boolean stopping;

  private RocketSaboteur(String nameServer) {
    consumer.setNamesrvAddr(nameServer);
    consumer.setAutoCommit(false);
    producer.setNamesrvAddr(nameServer);
    thread.setDaemon(true);
  }

  /** Begins to read the topic from its beginning. */
  static RocketSaboteur start(String nameServer, String topic) {
    RocketSaboteur saboteur = new RocketSaboteur(nameServer);
    try {
      saboteur.producer.start();
      saboteur.consumer.start();
      Collection<MessageQueue> queues = saboteur.consumer.fetchMessageQueues(topic);
      saboteur.consumer.assign(queues);
      for (MessageQueue queue : queues) {
        saboteur.consumer.seekToBegin(queue);
      }
    } catch (MQClientException e) {
      throw failed(e);
    }
    saboteur.thread.start();
    return saboteur;
  }

  @Override
  public void close() {
    stopping = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    consumer.shutdown();
    producer.shutdown();
  }

  private void work() {
    while (!stopping) {
      for (MessageExt message : consumer.poll(POLL_MILLIS)) {
        if (wantsToRepeat(UUID.fromString(message.getKeys()))) {
          repeat(message);
        }
      }
    }
  }

  private void repeat(MessageExt message) {
    Message copy = new Message(message.getTopic(), message.getBody());
    copy.setKeys(message.getKeys());
    message
        .getProperties()
        .forEach(
            (name, value) -> {
              if (!MessageConst.STRING_HASH_SET.contains(name)) {
                copy.putUserProperty(name, value);
              }
            });
    try {
      producer.send(
          copy,
          new MessageQueue(message.getTopic(), message.getBrokerName(), message.getQueueId()));
    } catch (MQClientException | RemotingException | MQBrokerException e) {
      throw failed(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failed(e);
    }
  }

  private static IllegalStateException failed(Exception e) {
    return new IllegalStateException("RocketMQ did not do what the demo asked for", e);
  }
}
