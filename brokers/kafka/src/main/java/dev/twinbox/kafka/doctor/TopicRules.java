package dev.twinbox.kafka.doctor;

import dev.twinbox.broker.doctor.Durations;
import dev.twinbox.broker.doctor.Finding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.clients.admin.TopicDescription;
import org.jspecify.annotations.Nullable;

/** Which settings of a topic can lose messages. */
final class TopicRules {
  private final String subject;
  private final String topic;
  private final Function<String, @Nullable String> settings;
  private final List<Finding> findings = new ArrayList<>();

  private TopicRules(String subject, String topic, Function<String, @Nullable String> settings) {
    this.subject = subject;
    this.topic = topic;
    this.settings = settings;
  }

  static List<Finding> judge(
      String subject,
      TopicDescription description,
      Function<String, @Nullable String> settings,
      TopicNeeds needs) {
    TopicRules rules = new TopicRules(subject, description.name(), settings);
    int replicas = rules.replicas(description);
    rules.insync(replicas);
    rules.election();
    rules.cleanup(needs);
    rules.retention(needs);
    rules.size(needs);
    if (rules.findings.isEmpty()) {
      rules.findings.add(
          Finding.ok(
              subject,
              "%s replicas, min.insync.replicas=%s"
                  .formatted(replicas, rules.value("min.insync.replicas"))));
    }
    return rules.findings;
  }

  private int replicas(TopicDescription description) {
    int fewest =
        description.partitions().stream().mapToInt(p -> p.replicas().size()).min().orElse(0);
    if (fewest < 2) {
      findings.add(
          Finding.danger(
              KafkaCheck.REPLICATION_FACTOR,
              subject,
              "replication factor " + fewest,
              "Give it 3 replicas with kafka-reassign-partitions.sh."));
    }
    long behind =
        description.partitions().stream()
            .filter(p -> p.leader() == null || p.isr().size() < p.replicas().size())
            .count();
    if (behind > 0) {
      findings.add(
          Finding.warning(
              KafkaCheck.REPLICAS_OUT_OF_SYNC,
              subject,
              "%s of %s partitions lack replicas in sync"
                  .formatted(behind, description.partitions().size()),
              "See which broker is down: kafka-topics.sh --describe"
                  + " --under-replicated-partitions."));
    }
    return fewest;
  }

  private void insync(int replicas) {
    int least = (int) number("min.insync.replicas", 1);
    if (least < 2) {
      findings.add(
          Finding.danger(
              KafkaCheck.MIN_INSYNC_REPLICAS,
              subject,
              "min.insync.replicas=" + least,
              alter("min.insync.replicas=2")));
    } else if (least >= replicas) {
      findings.add(
          Finding.warning(
              KafkaCheck.ALL_REPLICAS_NEEDED,
              subject,
              "min.insync.replicas=%s with %s replicas".formatted(least, replicas),
              "Give it %s replicas with kafka-reassign-partitions.sh.".formatted(least + 1)));
    }
  }

  private void election() {
    if (value("unclean.leader.election.enable").equals("true")) {
      findings.add(
          Finding.danger(
              KafkaCheck.UNCLEAN_ELECTION,
              subject,
              "unclean.leader.election.enable=true",
              alter("unclean.leader.election.enable=false")));
    }
  }

  private void cleanup(TopicNeeds needs) {
    String policy = value("cleanup.policy");
    if (!policy.contains("compact")) {
      return;
    }
    if (needs.keyless()) {
      findings.add(
          Finding.danger(
              KafkaCheck.TOPIC_COMPACTED,
              subject,
              "cleanup.policy=%s, and messages without a key go there".formatted(policy),
              alter("cleanup.policy=delete") + " Or give each message a key."));
    } else {
      findings.add(
          Finding.warning(
              KafkaCheck.TOPIC_COMPACTED,
              subject,
              "cleanup.policy=" + policy,
              "Right for states; for events, " + alter("cleanup.policy=delete")));
    }
  }

  private void retention(TopicNeeds needs) {
    if (!value("cleanup.policy").contains("delete")) {
      return;
    }
    long millis = number("retention.ms", -1);
    Duration kept = Duration.ofMillis(millis);
    if (millis >= 0 && kept.compareTo(needs.outage()) < 0) {
      findings.add(
          Finding.danger(
              KafkaCheck.RETENTION_TOO_SHORT,
              subject,
              "retention.ms=%s (%s), shorter than an outage of %s"
                  .formatted(millis, Durations.text(kept), Durations.text(needs.outage())),
              alter("retention.ms=" + needs.horizon().toMillis())));
    } else if (millis >= 0 && kept.compareTo(needs.horizon()) < 0) {
      findings.add(
          Finding.warning(
              KafkaCheck.RETENTION_TOO_SHORT,
              subject,
              "retention.ms=%s (%s), shorter than the inbox remembers: %s"
                  .formatted(millis, Durations.text(kept), Durations.text(needs.horizon())),
              alter("retention.ms=" + needs.horizon().toMillis())));
    }
    if (number("retention.bytes", -1) >= 0) {
      findings.add(
          Finding.warning(
              KafkaCheck.RETENTION_BY_SIZE,
              subject,
              "retention.bytes=" + value("retention.bytes"),
              alter("retention.bytes=-1")));
    }
  }

  private void size(TopicNeeds needs) {
    long most = number("max.message.bytes", Long.MAX_VALUE);
    if (most < needs.messageBytes()) {
      findings.add(
          Finding.warning(
              KafkaCheck.MESSAGE_SIZE_LIMIT,
              subject,
              "max.message.bytes=%s; the outbox takes up to %s"
                  .formatted(most, needs.messageBytes()),
              alter("max.message.bytes=1048588") + " Or lower maxPayloadBytes of the Outbox."));
    }
  }

  private String alter(String setting) {
    return "kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config %s."
        .formatted(topic, setting);
  }

  private String value(String name) {
    String value = settings.apply(name);
    return value == null ? "" : value;
  }

  private long number(String name, long otherwise) {
    String value = value(name);
    return value.isEmpty() ? otherwise : Long.parseLong(value);
  }
}
