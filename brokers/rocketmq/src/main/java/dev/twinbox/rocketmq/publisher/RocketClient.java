package dev.twinbox.rocketmq.publisher;

import dev.twinbox.broker.Supervision;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.exception.RemotingException;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.jspecify.annotations.Nullable;

/**
 * A producer that all lanes of a broker share: it has some twenty threads and a connection to each
 * master. Once a publisher has given it up, new publishers get another one, and it ends with the
 * last that has it. Thread-safe.
 */
final class RocketClient {
  private static final long ROUTE_HOLDS_NANOS = 5_000_000_000L;
  private static final long API_TIMEOUT_MILLIS = 5_000;

  /** Beyond the time at which publishers give a message up themselves. */
  private static final long TIMEOUT_MARGIN_MILLIS = 10_000;

  private record Route(List<MessageQueue> queues, long at) {}

  private final RocketSettings settings;
  private final String instance;
  private final long sendTimeoutMillis;

  /** The masters on which topics were seen, by this client or by those before it. */
  private final Map<String, Set<String>> mastersSeen;

  private final Map<String, Route> routes = new ConcurrentHashMap<>();
  private @Nullable DefaultMQProducer producer;
  private int users;
  private boolean retired;
  private boolean ended;

  RocketClient(
      RocketSettings settings,
      String instance,
      long confirmTimeoutMillis,
      Map<String, Set<String>> mastersSeen) {
    this.settings = settings;
    this.instance = instance;
    this.sendTimeoutMillis = confirmTimeoutMillis + TIMEOUT_MARGIN_MILLIS;
    this.mastersSeen = mastersSeen;
  }

  /**
   * Counts one more user.
   *
   * @return false when it was given up already
   */
  synchronized boolean use() {
    if (retired) {
      return false;
    }
    users++;
    return true;
  }

  synchronized void leave() {
    users--;
    endIfUnused();
  }

  /** It is of no use any more, since a message has waited in it for too long. */
  synchronized void retire() {
    retired = true;
    endIfUnused();
  }

  private void endIfUnused() {
    DefaultMQProducer unused = producer;
    if (retired && users <= 0 && !ended) {
      ended = true;
      if (unused != null) {
        // It waits for its threads and says goodbye to brokers.
        Supervision.inBackground(instance + "-end", unused::shutdown);
      }
    }
  }

  private synchronized DefaultMQProducer producer() throws MQClientException {
    DefaultMQProducer present = producer;
    if (present == null) {
      if (ended) {
        throw new MQClientException("the client has ended", null);
      }
      present = settings.producer(instance);
      present.start();
      producer = present;
    }
    return present;
  }

  /**
   * The queues that can be written to, in the same order everywhere. Waits some seconds for the
   * name server, unless it was asked in the last five.
   *
   * @throws NoMasterException when it cannot be told whether the topic is missing, or its broker
   */
  List<MessageQueue> queues(String topic)
      throws MQClientException, NoMasterException, InterruptedException {
    long now = System.nanoTime();
    Route known = routes.get(topic);
    if (known != null && now - known.at() < ROUTE_HOLDS_NANOS) {
      return known.queues();
    }
    DefaultMQProducer client = producer();
    try {
      List<MessageQueue> queues =
          client.fetchPublishMessageQueues(topic).stream().sorted().toList();
      routes.put(topic, new Route(queues, now));
      mastersSeen.put(
          topic,
          queues.stream().map(MessageQueue::getBrokerName).collect(Collectors.toUnmodifiableSet()));
      return queues;
    } catch (MQClientException e) {
      if (e.getCause() instanceof MQClientException said
          && said.getResponseCode() == ResponseCode.TOPIC_NOT_EXIST) {
        refuseAbsentMasters(client, topic);
        throw said;
      }
      if (e.getCause() == null) {
        throw new NoMasterException(
            "topic %s has no queue that could be written to: its master is down, or the topic is read-only"
                .formatted(topic));
      }
      throw e;
    }
  }

  /** A name server forgets a topic together with the last broker that keeps it. */
  private void refuseAbsentMasters(DefaultMQProducer client, String topic)
      throws NoMasterException, InterruptedException, MQClientException {
    Set<String> masters = new HashSet<>();
    try {
      for (BrokerData broker :
          api(client).getBrokerClusterInfo(API_TIMEOUT_MILLIS).getBrokerAddrTable().values()) {
        if (broker.getBrokerAddrs().containsKey(MixAll.MASTER_ID)) {
          masters.add(broker.getBrokerName());
        }
      }
    } catch (RemotingException | MQBrokerException e) {
      throw new MQClientException("the name server does not say which brokers there are", e);
    }
    if (masters.isEmpty()) {
      throw new NoMasterException("no master is registered at the name server");
    }
    Set<String> absent = new HashSet<>(mastersSeen.getOrDefault(topic, Set.of()));
    absent.removeAll(masters);
    if (!absent.isEmpty()) {
      throw new NoMasterException(
          "topic %s was on %s, which the name server does not know now".formatted(topic, absent));
    }
  }

  @SuppressWarnings("deprecation") // there is no other way to the calls of administration
  private static MQClientAPIImpl api(DefaultMQProducer client) {
    return client.getDefaultMQProducerImpl().getMqClientFactory().getMQClientAPIImpl();
  }

  /** Sends without waiting; the callback may be called before this returns, and more than once. */
  void send(Message message, MessageQueue queue, SendCallback callback)
      throws MQClientException, RemotingException, InterruptedException {
    producer().send(message, queue, callback, sendTimeoutMillis);
  }

  /** What was learnt of the topic may be wrong. */
  void forget(String topic) {
    routes.remove(topic);
  }
}
