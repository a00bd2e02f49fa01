package dev.twinbox.rocketmq.doctor;

import dev.twinbox.broker.doctor.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.rocketmq.common.constant.PermName;
import org.apache.rocketmq.remoting.protocol.route.QueueData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;

/** What of a topic can lose messages or their order. */
final class TopicRules {
  private static final String TYPE = "message.type";

  private TopicRules() {}

  /**
   * @param attributes of the topic at one of its brokers
   */
  static List<Finding> judge(
      String subject, String topic, TopicRouteData route, Map<String, String> attributes) {
    List<Finding> findings = new ArrayList<>();
    List<QueueData> writeable =
        route.getQueueDatas().stream()
            .filter(queues -> PermName.isWriteable(queues.getPerm()))
            .filter(queues -> queues.getWriteQueueNums() > 0)
            .toList();
    if (writeable.isEmpty()) {
      findings.add(
          Finding.danger(
              RocketCheck.TOPIC_NOT_WRITEABLE,
              subject,
              "no queue that could be written to",
              "mqadmin updateTopicPerm -t %s -p 6".formatted(topic)));
    }
    String order = route.getOrderTopicConf();
    if (writeable.size() > 1 && (order == null || order.isBlank())) {
      findings.add(
          Finding.danger(
              RocketCheck.TOPIC_NOT_ORDERED,
              subject,
              "on %s brokers without a fixed order of queues".formatted(writeable.size()),
              "mqadmin updateTopic -o true -t %s, or keep it on one broker.".formatted(topic)));
    }
    String type = attributes.getOrDefault(TYPE, "NORMAL").toUpperCase(Locale.ROOT);
    String remedy = "mqadmin updateTopic -t %s -a +message.type=FIFO".formatted(topic);
    switch (type) {
      case "FIFO" -> {}
      case "DELAY", "TRANSACTION" ->
          findings.add(Finding.danger(RocketCheck.TOPIC_TYPE, subject, TYPE + "=" + type, remedy));
      default ->
          findings.add(
              Finding.warning(RocketCheck.TOPIC_NOT_FIFO, subject, TYPE + "=" + type, remedy));
    }
    return findings;
  }
}
