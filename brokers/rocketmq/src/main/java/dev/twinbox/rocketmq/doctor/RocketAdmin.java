package dev.twinbox.rocketmq.doctor;

import java.io.UnsupportedEncodingException;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.remoting.exception.RemotingException;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.jspecify.annotations.Nullable;

/**
 * Asks RocketMQ's name servers and brokers what they are set up for. It uses the client's own
 * administration calls: those of {@code rocketmq-tools} are the same, with a broker's libraries.
 * For one thread.
 */
final class RocketAdmin implements AutoCloseable {
  static final long LIMIT_MILLIS = 5_000;

  /** A call to a server. */
  @FunctionalInterface
  interface Call<T> {
    T on(MQClientAPIImpl api)
        throws RemotingException,
            MQBrokerException,
            MQClientException,
            InterruptedException,
            UnsupportedEncodingException;
  }

  /** A master, and how many slaves the name server knows of it. */
  record Master(String name, String address, int slaves) {}

  private final DefaultMQProducer client;
  private final Map<String, Properties> configs = new HashMap<>();
  private boolean started;

  /**
   * @param client not started; ended with this
   */
  RocketAdmin(DefaultMQProducer client) {
    this.client = client;
  }

  /** All masters by their name. */
  Map<String, Master> masters() throws UnreadableException {
    Map<String, BrokerData> brokers =
        call(api -> api.getBrokerClusterInfo(LIMIT_MILLIS).getBrokerAddrTable());
    Map<String, Master> masters = new HashMap<>();
    for (BrokerData broker : brokers.values()) {
      String address = broker.getBrokerAddrs().get(MixAll.MASTER_ID);
      if (address != null) {
        masters.put(
            broker.getBrokerName(),
            new Master(broker.getBrokerName(), address, broker.getBrokerAddrs().size() - 1));
      }
    }
    return masters;
  }

  Properties config(Master master) throws UnreadableException {
    Properties known = configs.get(master.address());
    if (known == null) {
      known = call(api -> api.getBrokerConfig(master.address(), LIMIT_MILLIS));
      configs.put(master.address(), known);
    }
    return known;
  }

  /** Null when the name server does not know the topic. */
  @Nullable TopicRouteData route(String topic) throws UnreadableException {
    try {
      return call(api -> api.getTopicRouteInfoFromNameServer(topic, LIMIT_MILLIS));
    } catch (UnreadableException e) {
      if (e.code() == ResponseCode.TOPIC_NOT_EXIST) {
        return null;
      }
      throw e;
    }
  }

  Map<String, String> attributes(Master master, String topic) throws UnreadableException {
    Map<String, String> attributes =
        call(api -> api.getTopicConfig(master.address(), topic, LIMIT_MILLIS)).getAttributes();
    return attributes == null ? Map.of() : attributes;
  }

  @SuppressWarnings("deprecation") // there is no other way to the calls of administration
  <T> T call(Call<T> call) throws UnreadableException {
    try {
      if (!started) {
        started = true;
        client.start();
      }
      return call.on(client.getDefaultMQProducerImpl().getMqClientFactory().getMQClientAPIImpl());
    } catch (MQBrokerException e) {
      throw new UnreadableException(e, e.getResponseCode());
    } catch (MQClientException e) {
      throw new UnreadableException(e, e.getResponseCode());
    } catch (RemotingException | UnsupportedEncodingException e) {
      throw new UnreadableException(e, UnreadableException.NO_ANSWER);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnreadableException(e, UnreadableException.NO_ANSWER);
    }
  }

  @Override
  public void close() {
    if (started) {
      client.shutdown();
    }
  }
}
