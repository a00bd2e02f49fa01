package dev.twinbox.kafka.publisher;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.broker.Broker;
import dev.twinbox.contract.Arrived;
import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.testkit.TestKafkaProcesses;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** One Kafka broker, which can be frozen. */
public final class KafkaUnderTest implements BrokerUnderTest, AutoCloseable {
  private static final Map<String, String> SETTINGS =
      Map.of(
          "authorizer.class.name",
          "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
          "allow.everyone.if.no.acl.found",
          "true");

  final TestKafkaProcesses kafka = TestKafkaProcesses.start(1, SETTINGS);

  @Override
  public Broker broker(Duration lookTimeout, Duration confirmTimeout) {
    return KafkaBroker.named("kafka")
        .properties(() -> Map.of("bootstrap.servers", kafka.bootstrapServers()))
        .metadataTimeout(lookTimeout)
        .confirmTimeout(confirmTimeout)
        .build();
  }

  @Override
  public String newDestination() {
    String destination = missingDestination();
    create(destination);
    return destination;
  }

  @Override
  public String missingDestination() {
    return "kafka:topic-" + UUID.randomUUID();
  }

  @Override
  public void create(String destination) {
    create(destination, Map.of("max.message.bytes", "100000"));
  }

  void create(String destination, Map<String, String> settings) {
    kafka.createTopic(topic(destination), 1, 1, settings);
  }

  @Override
  public int tooManyBytes() {
    return 200_000;
  }

  @Override
  public List<Arrived> read(String destination) {
    return records(destination).stream()
        .map(
            record ->
                new Arrived(
                    headers(record).getOrDefault("ce_id", ""),
                    text(record.key()),
                    text(record.value()),
                    headers(record)))
        .toList();
  }

  List<ConsumerRecord<byte[], byte[]>> records(String destination) {
    return kafka.records(topic(destination));
  }

  @Override
  public void takeDown() {
    kafka.kill(0);
  }

  @Override
  public void bringBack() {
    kafka.startBroker(0);
  }

  @Override
  public void freeze() {
    kafka.pause(0);
  }

  @Override
  public void thaw() {
    kafka.resume(0);
  }

  @Override
  public void close() {
    kafka.close();
  }

  static String topic(String destination) {
    return destination.substring(destination.indexOf(':') + 1);
  }

  static Map<String, String> headers(ConsumerRecord<byte[], byte[]> record) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (Header header : record.headers()) {
      headers.put(header.key(), new String(header.value(), UTF_8));
    }
    return headers;
  }

  private static @Nullable String text(byte @Nullable [] bytes) {
    return bytes == null ? null : new String(bytes, UTF_8);
  }
}
