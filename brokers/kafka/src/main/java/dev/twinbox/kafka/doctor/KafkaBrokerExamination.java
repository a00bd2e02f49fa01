package dev.twinbox.kafka.doctor;

import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Hosts;
import dev.twinbox.kafka.KafkaTopic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A Kafka cluster, with the settings that the relay has for it. For one thread. */
public final class KafkaBrokerExamination implements BrokerExamination {
  private final String name;
  private final Map<String, ?> settings;
  private final KafkaExamination cluster;

  /**
   * Connects.
   *
   * @param name the broker's, as in {@code kafka@billing}
   * @param settings the client's, credentials included
   */
  public KafkaBrokerExamination(String name, Map<String, ?> settings) {
    this.name = name;
    this.settings = settings;
    cluster = KafkaExamination.open(name, settings);
  }

  @Override
  public List<Finding> broker() {
    List<Finding> findings = new ArrayList<>(cluster.cluster());
    String protocol = setting("security.protocol").toUpperCase(Locale.ROOT);
    if (!protocol.endsWith("SSL")) {
      String remote =
          Arrays.stream(setting("bootstrap.servers").split(","))
              .map(address -> address.strip().replaceFirst(":\\d*$", ""))
              .filter(host -> !Hosts.isLocal(host))
              .collect(Collectors.joining(", "));
      if (!remote.isEmpty()) {
        findings.add(
            Finding.warning(
                CommonCheck.CONNECTION_IN_CLEAR,
                name,
                "security.protocol=%s to %s"
                    .formatted(protocol.isEmpty() ? "PLAINTEXT" : protocol, remote),
                "Set security.protocol=SSL or SASL_SSL."));
      }
    }
    return findings;
  }

  @Override
  public List<Finding> destination(String destination, boolean keyless) {
    KafkaTopic topic = KafkaTopic.at(name, destination);
    // The publisher says what it thinks of what is none.
    return topic == null
        ? List.of()
        : cluster.topic(topic.name(), TopicNeeds.DEFAULTS.withKeyless(keyless));
  }

  @Override
  public List<Finding> consumed(String group, Collection<String> topics, Duration horizon) {
    List<Finding> findings = new ArrayList<>();
    TopicNeeds needs = TopicNeeds.DEFAULTS.withHorizon(horizon);
    topics.forEach(topic -> findings.addAll(cluster.topic(topic, needs)));
    findings.addAll(cluster.group(group, topics, horizon));
    String reset = setting("auto.offset.reset").toLowerCase(Locale.ROOT);
    if (reset.equals("latest") || reset.startsWith("by_duration")) {
      findings.add(
          Finding.danger(
              KafkaCheck.OFFSET_RESET,
              "group %s of %s".formatted(group, name),
              "auto.offset.reset=" + reset,
              "Set auto.offset.reset=earliest, or leave it out."));
    }
    return findings;
  }

  private String setting(String setting) {
    Object value = settings.get(setting);
    return value == null ? "" : value.toString();
  }

  @Override
  public void close() {
    cluster.close();
  }
}
