package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.BrokerKind;
import dev.twinbox.broker.doctor.Check;
import dev.twinbox.kafka.KafkaTopic;
import dev.twinbox.kafka.doctor.KafkaCheck;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Kafka, as the service that others find. Stateless. */
public final class KafkaKind implements BrokerKind {
  @Override
  public String prefix() {
    return "kafka";
  }

  @Override
  public String addressForm() {
    return "topic";
  }

  @Override
  public void checkAddress(String address) {
    var unused = new KafkaTopic(address);
  }

  @Override
  public Consumption consumption() {
    return Consumption.TOPICS;
  }

  @Override
  public List<ClientSetting> settings() {
    return List.of(new ClientSetting("bootstrap.servers", "HOST:PORT,...", "Kafka's addresses"));
  }

  @Override
  public Broker open(String name, Supplier<Map<String, String>> properties) {
    return KafkaBroker.named(name).properties(properties::get).build();
  }

  @Override
  public List<Check> checks() {
    return List.of(KafkaCheck.values());
  }
}
