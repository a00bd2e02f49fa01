package dev.twinbox.kafka.doctor;

import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * One look at a Kafka cluster. What it says of a topic or group may be asked for several times; a
 * cluster that does not answer is waited for once, about 5 seconds. Nothing is thrown: what cannot
 * be read is a finding. For one thread.
 */
public final class KafkaExamination implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(5);

  private final String broker;
  private final @Nullable Admin admin;
  private @Nullable String unreachable;
  private List<Node> nodes = List.of();

  private KafkaExamination(String broker, @Nullable Admin admin, @Nullable String unreachable) {
    this.broker = broker;
    this.admin = admin;
    this.unreachable = unreachable;
  }

  /**
   * Connects, and waits for an answer.
   *
   * @param broker what the cluster is called in findings: {@code kafka}, {@code kafka@billing}
   * @param clientSettings a client's settings; those that an admin client does not know are left
   *     out
   */
  public static KafkaExamination open(String broker, Map<String, ?> clientSettings) {
    Map<String, Object> settings = adminSettings(clientSettings, "twinbox-doctor");
    KafkaExamination examination;
    try {
      examination = new KafkaExamination(broker, Admin.create(settings), null);
    } catch (KafkaException | LinkageError e) {
      return new KafkaExamination(broker, null, ClientRefusal.reason(e));
    }
    examination.connect();
    return examination;
  }

  /**
   * What an admin client takes of another client's settings; it waits 5 seconds for an answer.
   *
   * @param id its {@code client.id}
   */
  public static Map<String, Object> adminSettings(Map<String, ?> clientSettings, String id) {
    Map<String, Object> settings = new HashMap<>(clientSettings);
    settings.keySet().retainAll(AdminClientConfig.configNames());
    settings.remove(AdminClientConfig.METRIC_REPORTER_CLASSES_CONFIG);
    settings.put(AdminClientConfig.CLIENT_ID_CONFIG, id);
    settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) LIMIT.toMillis());
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) LIMIT.toMillis());
    return settings;
  }

  private void connect() {
    Admin client = admin;
    if (client == null) {
      return;
    }
    try {
      nodes = List.copyOf(get(client.describeCluster().nodes()));
    } catch (UnreadableException e) {
      unreachable = e.getMessage();
    }
  }

  /** Whether the cluster has answered. */
  public boolean isReachable() {
    return unreachable == null;
  }

  /** Looks at what is true of the whole cluster. */
  public List<Finding> cluster() {
    if (!isReachable()) {
      return List.of(notReached());
    }
    try {
      Config config = config(ConfigResource.Type.BROKER, nodes.get(0).idString());
      List<Finding> findings = new ArrayList<>();
      if ("true".equals(value(config, "auto.create.topics.enable"))) {
        findings.add(
            Finding.warning(
                KafkaCheck.AUTO_CREATE_TOPICS,
                broker,
                "auto.create.topics.enable=true",
                "Set auto.create.topics.enable=false in server.properties of all brokers."));
      }
      if (findings.isEmpty()) {
        findings.add(Finding.ok(broker, nodes.size() + " brokers answer"));
      }
      return findings;
    } catch (UnreadableException e) {
      return List.of(unreadable(broker, e));
    }
  }

  /** Looks at a topic from the side of those who publish to it. */
  public List<Finding> topic(String topic, TopicNeeds needs) {
    if (!isReachable()) {
      return List.of(notReached());
    }
    String subject = broker + ":" + topic;
    TopicDescription description;
    Config config;
    try {
      description = describe(topic);
      config = config(ConfigResource.Type.TOPIC, topic);
    } catch (UnreadableException e) {
      return List.of(
          e.getCause() instanceof UnknownTopicOrPartitionException
              ? Finding.danger(
                  KafkaCheck.TOPIC_MISSING,
                  subject,
                  "does not exist",
                  "kafka-topics.sh --create --topic %s --replication-factor 3 --config min.insync.replicas=2"
                      .formatted(topic))
              : unreadable(subject, e));
    }
    return TopicRules.judge(subject, description, name -> value(config, name), needs);
  }

  /** Looks at a consumer group's offsets in these topics. */
  public List<Finding> group(String group, Collection<String> topics, Duration horizon) {
    if (!isReachable()) {
      return List.of(notReached());
    }
    try {
      String retention =
          value(
              config(ConfigResource.Type.BROKER, nodes.get(0).idString()),
              "offsets.retention.minutes");
      GroupRules rules = new GroupRules(client(), broker, group, horizon);
      for (String topic : topics) {
        rules.topic(topic, value(config(ConfigResource.Type.TOPIC, topic), "retention.ms"));
      }
      return rules.judge(topics, retention);
    } catch (UnreadableException e) {
      return List.of(unreadable("group %s of %s".formatted(group, broker), e));
    }
  }

  private TopicDescription describe(String topic) throws UnreadableException {
    return get(client().describeTopics(List.of(topic)).topicNameValues().get(topic));
  }

  private Config config(ConfigResource.Type type, String name) throws UnreadableException {
    ConfigResource resource = new ConfigResource(type, name);
    return get(client().describeConfigs(List.of(resource)).values().get(resource));
  }

  private Admin client() throws UnreadableException {
    if (admin == null) {
      throw new UnreadableException("no client", null);
    }
    return admin;
  }

  private static @Nullable String value(Config config, String name) {
    var entry = config.get(name);
    return entry == null ? null : entry.value();
  }

  static <T> T get(@Nullable KafkaFuture<T> answer) throws UnreadableException {
    if (answer == null) {
      throw new UnreadableException("no answer", null);
    }
    try {
      return answer.get(LIMIT.toMillis() + 1_000, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new UnreadableException(said(e.getCause()), e.getCause());
    } catch (TimeoutException e) {
      throw new UnreadableException("no answer within " + LIMIT.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnreadableException("interrupted", e);
    }
  }

  private Finding notReached() {
    return Finding.unknown(
        CommonCheck.BROKER_UNREACHABLE,
        broker,
        String.valueOf(unreachable),
        "See that bootstrap.servers, TLS and credentials are right and the brokers run.");
  }

  private static Finding unreadable(String subject, UnreadableException e) {
    return Finding.unknown(
        CommonCheck.NOT_READABLE,
        subject,
        String.valueOf(e.getMessage()),
        "Allow this user DescribeConfigs on topics and on the cluster.");
  }

  private static String said(@Nullable Throwable failure) {
    return failure == null
        ? "no answer"
        : failure.getClass().getSimpleName()
            + (failure.getMessage() == null ? "" : ": " + failure.getMessage());
  }

  @Override
  public void close() {
    if (admin != null) {
      admin.close(Duration.ZERO);
    }
  }

  /** The cluster did not say. */
  static final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnreadableException(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
