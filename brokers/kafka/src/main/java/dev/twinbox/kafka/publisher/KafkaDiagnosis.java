package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.jspecify.annotations.Nullable;

/**
 * Why a record has waited too long, by what the client knows of its topic. The client retries
 * without end and does not say over what, so this is the best guess for whoever has to repair it.
 */
final class KafkaDiagnosis {
  private KafkaDiagnosis() {}

  /** By the client's own count of its connections. */
  static String waitsFor(@Nullable Producer<byte[], byte[]> client) {
    if (client == null) {
      return "there is no client yet";
    }
    for (Map.Entry<MetricName, ? extends Metric> each : client.metrics().entrySet()) {
      if (each.getKey().name().equals("connection-count")
          && each.getKey().group().equals("producer-metrics")) {
        return Double.valueOf(0).equals(each.getValue().metricValue())
            ? "no broker is connected"
            : "a broker does not answer";
      }
    }
    return "";
  }

  static Outcome unconfirmed(
      @Nullable Producer<byte[], byte[]> client, String topic, KafkaLimits limits) {
    String waited = "topic %s: not confirmed within %s; ".formatted(topic, limits.confirmTimeout());
    if (client == null) {
      return new Outcome.Unavailable(Reason.UNREACHABLE, waited + "no client");
    }
    List<PartitionInfo> partitions;
    try {
      partitions = client.partitionsFor(topic);
    } catch (KafkaException e) {
      Throwable said = e.getCause() == null ? e : e.getCause();
      Reason reason = KafkaErrors.reason(said);
      return new Outcome.Unavailable(
          reason == Reason.OTHER ? Reason.UNREACHABLE : reason, waited + KafkaErrors.detail(said));
    }
    if (partitions.stream().anyMatch(p -> p.leader() == null || p.leader().isEmpty())) {
      return new Outcome.Unavailable(Reason.NO_LEADER, waited + "a partition has no leader");
    }
    if (partitions.stream().anyMatch(p -> p.inSyncReplicas().length < p.replicas().length)) {
      return new Outcome.Unavailable(
          Reason.NOT_ENOUGH_REPLICAS, waited + "replicas are missing: " + partitions);
    }
    return new Outcome.Unavailable(Reason.UNREACHABLE, waited + "a broker does not answer");
  }
}
