package dev.twinbox.kafka.consumer;

import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.kafka.doctor.KafkaExamination;
import dev.twinbox.kafka.doctor.TopicNeeds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** The user's consumer properties, less what would break a guarantee. */
final class KafkaProperties {
  private final Map<String, Object> properties;
  private final int batchSize;

  KafkaProperties(Map<String, Object> users, int batchSize, boolean mayStartAtEnd) {
    this.batchSize = batchSize;
    properties = new HashMap<>(users);
    require(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, "the brokers' addresses");
    require(ConsumerConfig.GROUP_ID_CONFIG, "the group in which offsets are kept");
    fix(
        ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
        "false",
        "offsets would be committed before the database");
    fix(
        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
        "read_committed",
        "records of aborted transactions would be handled");
    fix(
        ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
        ByteArrayDeserializer.class.getName(),
        "a record that cannot be deserialized would stop its partition; decode in the handler");
    fix(
        ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG,
        ByteArrayDeserializer.class.getName(),
        "a record that cannot be deserialized would stop its partition; decode in the handler");
    if (properties.containsKey(ConsumerConfig.MAX_POLL_RECORDS_CONFIG)) {
      throw refused(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "use batchSize(...) instead");
    }
    properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, PolledRecords.pollSize(batchSize));
    checkStart(mayStartAtEnd);
    properties.putIfAbsent(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
  }

  int batchSize() {
    return batchSize;
  }

  /** Properties for one of several consumers. */
  Map<String, Object> forConsumer(int number, int consumers) {
    Map<String, Object> own = new HashMap<>(properties);
    if (consumers > 1) {
      // Two members with one instance id would throw each other out again and again.
      suffix(own, ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, number);
      suffix(own, ConsumerConfig.CLIENT_ID_CONFIG, number);
    }
    return own;
  }

  /**
   * Looks at the group and its topics, through a client with these properties.
   *
   * @param horizon for how long the inbox remembers ids
   */
  List<Finding> examine(List<String> topics, Duration horizon) {
    try (KafkaExamination kafka = KafkaExamination.open("kafka", properties)) {
      List<Finding> findings = new ArrayList<>();
      topics.forEach(
          topic -> findings.addAll(kafka.topic(topic, TopicNeeds.DEFAULTS.withHorizon(horizon))));
      findings.addAll(
          kafka.group(
              String.valueOf(properties.get(ConsumerConfig.GROUP_ID_CONFIG)), topics, horizon));
      return findings.stream().distinct().toList();
    }
  }

  private static void suffix(Map<String, Object> own, String name, int number) {
    own.computeIfPresent(name, (ignored, value) -> value + "-" + number);
  }

  private void checkStart(boolean mayStartAtEnd) {
    Object start = properties.putIfAbsent(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    String value = start == null ? "earliest" : start.toString().toLowerCase(Locale.ROOT);
    boolean skips = value.equals("latest") || value.startsWith("by_duration");
    if (skips && !mayStartAtEnd) {
      throw refused(
          ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
          "a group without valid offsets would skip messages silently; use 'earliest' or 'none', or"
              + " say maySkipMessages() if that is meant");
    }
  }

  private void require(String name, String what) {
    Object value = properties.get(name);
    if (value == null || value.toString().isBlank()) {
      throw new IllegalArgumentException(
          "The consumer property '%s' is required: %s.".formatted(name, what));
    }
  }

  private void fix(String name, String value, String risk) {
    @Nullable Object before = properties.put(name, value);
    String named = before instanceof Class<?> type ? type.getName() : String.valueOf(before);
    if (before != null && !named.equalsIgnoreCase(value)) {
      throw refused(name, risk + "; leave it out, it is '" + value + "'");
    }
  }

  private IllegalArgumentException refused(String name, String remedy) {
    return new IllegalArgumentException(
        "The consumer property '%s' is refused: %s.".formatted(name, remedy));
  }
}
