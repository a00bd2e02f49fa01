package dev.twinbox.rocketmq.doctor;

import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Hosts;
import dev.twinbox.rocketmq.RocketTopic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.remoting.protocol.route.QueueData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;

/** A RocketMQ cluster, with the settings that the relay has for it. For one thread. */
public final class RocketBrokerExamination implements BrokerExamination {
  private static final Duration DEFAULT_HORIZON = Duration.ofDays(7);

  private final String name;
  private final DefaultMQProducer client;
  private final RocketAdmin admin;

  /**
   * Nothing is connected yet.
   *
   * @param name the broker's, as in {@code rocketmq@eu}
   * @param client with the relay's settings, not started; ended with this
   */
  public RocketBrokerExamination(String name, DefaultMQProducer client) {
    this.name = name;
    this.client = client;
    admin = new RocketAdmin(client);
  }

  @Override
  public List<Finding> broker() {
    List<Finding> findings = new ArrayList<>();
    String remote =
        Arrays.stream(client.getNamesrvAddr().split("[;,]"))
            .map(address -> address.strip().replaceFirst(":\\d*$", ""))
            .filter(host -> !Hosts.isLocal(host))
            .collect(Collectors.joining(", "));
    if (!client.isUseTLS() && !remote.isEmpty()) {
      findings.add(
          Finding.warning(
              CommonCheck.CONNECTION_IN_CLEAR, name, "no TLS to " + remote, "Set use.tls=true."));
    }
    try {
      Map<String, RocketAdmin.Master> masters = admin.masters();
      findings.add(
          masters.isEmpty()
              ? Finding.unknown(
                  CommonCheck.BROKER_UNREACHABLE,
                  name,
                  "the name server knows no master",
                  "Start one, or see why it does not reach the name server.")
              : Finding.ok(name, masters.size() + " masters are registered"));
    } catch (UnreadableException e) {
      findings.add(unreadable(name, e));
    }
    return findings;
  }

  @Override
  public List<Finding> destination(String destination, boolean keyless) {
    RocketTopic topic = RocketTopic.at(name, destination);
    // The publisher says what it thinks of what is none.
    return topic == null ? List.of() : topic(topic.topic(), DEFAULT_HORIZON);
  }

  @Override
  public List<Finding> consumed(String group, Collection<String> topics, Duration horizon) {
    List<Finding> findings = new ArrayList<>();
    topics.forEach(topic -> findings.addAll(topic(topic, horizon)));
    String subject = "group %s of %s".formatted(group, name);
    try {
      for (RocketAdmin.Master master : admin.masters().values()) {
        SubscriptionGroupConfig config =
            admin.call(
                api ->
                    api.getSubscriptionGroupConfig(
                        master.address(), group, RocketAdmin.LIMIT_MILLIS));
        if (!config.isConsumeEnable()) {
          findings.add(
              Finding.danger(
                  RocketCheck.GROUP_DISABLED,
                  subject,
                  "consumeEnable=false on " + master.name(),
                  "mqadmin updateSubGroup -g %s -s true".formatted(group)));
        }
      }
    } catch (UnreadableException e) {
      if (e.code() == UnreadableException.NO_ANSWER) {
        findings.add(unreadable(subject, e));
      } // else the broker does not know the group, and makes it at the first connection
    }
    return findings;
  }

  private List<Finding> topic(String topic, Duration horizon) {
    String subject = name + ":" + topic;
    List<Finding> findings = new ArrayList<>();
    try {
      TopicRouteData route = admin.route(topic);
      if (route == null) {
        return List.of(
            Finding.danger(
                RocketCheck.TOPIC_UNKNOWN,
                subject,
                "does not exist, or its brokers are down",
                "mqadmin updateTopic -t %s -a +message.type=FIFO".formatted(topic)));
      }
      Map<String, RocketAdmin.Master> masters = admin.masters();
      Map<String, String> attributes = Map.of();
      for (QueueData queues : route.getQueueDatas()) {
        RocketAdmin.Master master = masters.get(queues.getBrokerName());
        if (master == null) {
          continue; // only slaves are left of it; nothing can be written there
        }
        attributes = admin.attributes(master, topic);
        findings.addAll(
            BrokerRules.judge(
                "%s on %s".formatted(subject, master.name()),
                admin.config(master),
                master.slaves(),
                horizon));
      }
      findings.addAll(TopicRules.judge(subject, topic, route, attributes));
      return findings;
    } catch (UnreadableException e) {
      findings.add(unreadable(subject, e));
      return findings;
    }
  }

  private Finding unreadable(String subject, UnreadableException e) {
    return e.code() == UnreadableException.NO_ANSWER
        ? Finding.unknown(
            CommonCheck.BROKER_UNREACHABLE,
            subject,
            String.valueOf(e.getMessage()),
            "See that namesrv.addr is right, and that the servers run and can be reached.")
        : Finding.unknown(
            CommonCheck.NOT_READABLE,
            subject,
            String.valueOf(e.getMessage()),
            "Let the access key read the cluster, or see for yourself that it is safe.");
  }

  @Override
  public void close() {
    admin.close();
  }
}
