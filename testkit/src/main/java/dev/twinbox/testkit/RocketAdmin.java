package dev.twinbox.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.constant.PermName;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.exception.RemotingException;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.jspecify.annotations.Nullable;

/** A client of RocketMQ's servers under test. Asks the name server without a proxy. */
@SuppressWarnings("deprecation") // the one client that reads where it is told to, and no further
final class RocketAdmin implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final long TIMEOUT_MILLIS = 10_000;
  private static final int MOST_AT_ONCE = 500;

  private final String nameServer;
  private @Nullable DefaultMQPullConsumer client;

  RocketAdmin(String nameServer) {
    this.nameServer = nameServer;
  }

  private interface Call<T> {
    T on(MQClientAPIImpl api)
        throws RemotingException, MQBrokerException, MQClientException, InterruptedException;
  }

  /** Whether the name server knows the broker. */
  boolean knows(String brokerName, long id) {
    try {
      return call(
          api -> {
            BrokerData known =
                api.getBrokerClusterInfo(TIMEOUT_MILLIS).getBrokerAddrTable().get(brokerName);
            return known != null && known.getBrokerAddrs().containsKey(id);
          });
    } catch (IllegalStateException e) {
      return false;
    }
  }

  /** Whether the slave of the master on this port has all that the master has. */
  boolean isReplicated(int masterPort) {
    try {
      return call(
          api ->
              api.getBrokerHAStatus("127.0.0.1:" + masterPort, TIMEOUT_MILLIS).getInSyncSlaveNums()
                  > 0);
    } catch (IllegalStateException e) {
      return false;
    }
  }

  void createTopic(String topic, int queues, Map<String, String> attributes) {
    TopicConfig config =
        new TopicConfig(topic, queues, queues, PermName.PERM_READ | PermName.PERM_WRITE);
    Map<String, String> added = new HashMap<>();
    attributes.forEach((name, value) -> added.put("+" + name, value));
    config.setAttributes(added);
    call(
        api -> {
          for (BrokerData broker :
              api.getBrokerClusterInfo(TIMEOUT_MILLIS).getBrokerAddrTable().values()) {
            String master = broker.getBrokerAddrs().get(0L);
            if (master != null) {
              api.createTopic(master, "TBW102", config, TIMEOUT_MILLIS);
            }
          }
          return true;
        });
    Commands.await("Creating a topic", LIMIT, () -> isRouted(topic));
  }

  private boolean isRouted(String topic) {
    try {
      return call(
          api ->
              !api.getTopicRouteInfoFromNameServer(topic, TIMEOUT_MILLIS)
                  .getQueueDatas()
                  .isEmpty());
    } catch (IllegalStateException e) {
      return false;
    }
  }

  List<MessageExt> read(String topic) {
    List<MessageExt> all = new ArrayList<>();
    try {
      DefaultMQPullConsumer reader = client();
      for (MessageQueue queue :
          reader.fetchSubscribeMessageQueues(topic).stream().sorted().toList()) {
        long end = reader.maxOffset(queue);
        for (long next = reader.minOffset(queue); next < end; ) {
          PullResult pulled = reader.pull(queue, "*", next, MOST_AT_ONCE);
          if (pulled.getPullStatus() == PullStatus.FOUND) {
            all.addAll(pulled.getMsgFoundList());
          }
          next = pulled.getNextBeginOffset();
        }
      }
      return all;
    } catch (MQClientException | RemotingException | MQBrokerException e) {
      throw new IllegalStateException("Reading " + topic + " failed", e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private <T> T call(Call<T> call) {
    try {
      return call.on(
          client()
              .getDefaultMQPullConsumerImpl()
              .getRebalanceImpl()
              .getmQClientFactory()
              .getMQClientAPIImpl());
    } catch (MQClientException | RemotingException | MQBrokerException e) {
      throw new IllegalStateException("RocketMQ refused", e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private synchronized DefaultMQPullConsumer client() throws MQClientException {
    DefaultMQPullConsumer present = client;
    if (present == null) {
      present = new DefaultMQPullConsumer("twinbox-testkit");
      present.setNamesrvAddr(nameServer);
      present.setInstanceName("twinbox-testkit-" + nameServer);
      present.start();
      client = present;
    }
    return present;
  }

  @Override
  public synchronized void close() {
    if (client != null) {
      client.shutdown();
      client = null;
    }
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("Interrupted", e);
  }
}
