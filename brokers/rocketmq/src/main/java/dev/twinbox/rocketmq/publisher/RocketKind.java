package dev.twinbox.rocketmq.publisher;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.BrokerKind;
import dev.twinbox.broker.doctor.Check;
import dev.twinbox.rocketmq.RocketTopic;
import dev.twinbox.rocketmq.doctor.RocketCheck;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** RocketMQ, as the service that others find. Stateless. */
public final class RocketKind implements BrokerKind {
  @Override
  public String prefix() {
    return "rocketmq";
  }

  @Override
  public String addressForm() {
    return "topic/tag";
  }

  @Override
  public void checkAddress(String address) {
    var unused = RocketTopic.parse(address);
  }

  @Override
  public Consumption consumption() {
    return Consumption.TOPICS;
  }

  @Override
  public List<ClientSetting> settings() {
    return List.of(
        new ClientSetting("namesrv.addr", "HOST:PORT;...", "Addresses of RocketMQ's name servers"));
  }

  @Override
  public Broker open(String name, Supplier<Map<String, String>> properties) {
    return RocketBroker.named(name).properties(properties).build();
  }

  @Override
  public List<Check> checks() {
    return List.of(RocketCheck.values());
  }
}
