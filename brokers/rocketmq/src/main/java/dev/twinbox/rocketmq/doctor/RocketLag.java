package dev.twinbox.rocketmq.doctor;

import dev.twinbox.broker.SourceLag;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.admin.ConsumeStats;
import org.apache.rocketmq.remoting.protocol.admin.OffsetWrapper;

/** How far a consumer group is behind in its topics. */
public final class RocketLag {
  private static final String TYPE_SEPARATOR = ":";

  private RocketLag() {}

  /**
   * What cannot be read is said in place of the lag.
   *
   * @param broker its name, as in {@code rocketmq@eu}
   * @param client with the relay's settings, not started; ended by this
   */
  public static List<SourceLag> read(
      String broker, DefaultMQProducer client, String group, List<String> topics) {
    String consumer = broker + TYPE_SEPARATOR + group;
    List<SourceLag> lags = new ArrayList<>();
    try (RocketAdmin admin = new RocketAdmin(client)) {
      for (String topic : topics) {
        try {
          lags.add(of(admin, consumer, group, topic));
        } catch (UnreadableException e) {
          lags.add(SourceLag.unreadable(consumer, topic, e));
        }
      }
    }
    return lags;
  }

  private static SourceLag of(RocketAdmin admin, String consumer, String group, String topic)
      throws UnreadableException {
    long lag = 0;
    int members = 0;
    List<SourceLag.Partition> partitions = new ArrayList<>();
    for (RocketAdmin.Master master : admin.masters().values()) {
      ConsumeStats stats =
          admin.call(
              api -> api.getConsumeStats(master.address(), group, topic, RocketAdmin.LIMIT_MILLIS));
      for (Map.Entry<MessageQueue, OffsetWrapper> each : stats.getOffsetTable().entrySet()) {
        long committed = each.getValue().getConsumerOffset();
        long end = each.getValue().getBrokerOffset();
        long behind = Math.max(0, end - Math.max(0, committed));
        lag += behind;
        partitions.add(
            new SourceLag.Partition(
                each.getKey().getQueueId(), committed < 0 ? null : committed, end, behind, 0));
      }
      members = Math.max(members, members(admin, master, group));
    }
    return new SourceLag(consumer, topic, lag, members, partitions, null);
  }

  private static int members(RocketAdmin admin, RocketAdmin.Master master, String group)
      throws UnreadableException {
    try {
      return admin
          .call(
              api ->
                  api.getConsumerConnectionList(master.address(), group, RocketAdmin.LIMIT_MILLIS))
          .getConnectionSet()
          .size();
    } catch (UnreadableException e) {
      if (e.code() == ResponseCode.CONSUMER_NOT_ONLINE) {
        return 0;
      }
      throw e;
    }
  }
}
