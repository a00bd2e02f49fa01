package dev.twinbox.spring.autoconfigure;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.boot.kafka.autoconfigure.SslBundleSslEngineFactory;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.util.StringUtils;

/**
 * Settings of Kafka's clients: what Spring Boot knows, and on top of it {@code
 * twinbox.brokers.kafka.properties}. What Boot sets for its own templates and listeners, and ours
 * set for themselves, is left out; what a user has set to something harmful is refused by them.
 */
public final class KafkaClients {
  private static final List<String> BOOTS_OWN =
      List.of(
          "key.serializer",
          "value.serializer",
          "key.deserializer",
          "value.deserializer",
          "isolation.level",
          "enable.auto.commit",
          "max.poll.records",
          "group.id",
          "client.id");

  private final KafkaConnectionDetails details;
  private final KafkaProperties kafka;
  private final Map<String, String> more;

  KafkaClients(KafkaConnectionDetails details, KafkaProperties kafka, Map<String, String> more) {
    this.details = details;
    this.kafka = kafka;
    this.more = Map.copyOf(more);
  }

  /** Of a producer; read anew at each call, as the connection details are. */
  public Map<String, Object> producer() {
    return complete(kafka.buildProducerProperties(), details.getProducer());
  }

  /** Of a consumer, without its group. */
  public Map<String, Object> consumer() {
    return complete(kafka.buildConsumerProperties(), details.getConsumer());
  }

  private Map<String, Object> complete(
      Map<String, Object> boots, KafkaConnectionDetails.Configuration connection) {
    Map<String, Object> settings = new HashMap<>(boots);
    settings.keySet().removeAll(BOOTS_OWN);
    settings.put("bootstrap.servers", connection.getBootstrapServers());
    String protocol = connection.getSecurityProtocol();
    if (StringUtils.hasLength(protocol)) {
      settings.put("security.protocol", protocol);
    }
    @Nullable SslBundle bundle = connection.getSslBundle();
    if (bundle != null) {
      settings.put("ssl.engine.factory.class", SslBundleSslEngineFactory.class);
      settings.put(SslBundle.class.getName(), bundle);
    }
    settings.putAll(more);
    return settings;
  }
}
