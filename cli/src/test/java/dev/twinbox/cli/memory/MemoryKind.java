package dev.twinbox.cli.memory;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.BrokerKind;
import dev.twinbox.broker.doctor.Check;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The broker in memory, as the service that others find. */
public final class MemoryKind implements BrokerKind {
  @Override
  public String prefix() {
    return "memory";
  }

  @Override
  public String addressForm() {
    return "topic";
  }

  @Override
  public void checkAddress(String address) {
    if (!address.matches("[a-z0-9-]{1,64}")) {
      throw new IllegalArgumentException("a topic is 1 to 64 of a-z, 0-9 and '-'");
    }
  }

  @Override
  public Consumption consumption() {
    return Consumption.TOPICS;
  }

  @Override
  public List<ClientSetting> settings() {
    return List.of(new ClientSetting("port", "PORT", "Port of the broker in memory"));
  }

  @Override
  public Broker open(String name, Supplier<Map<String, String>> properties) {
    String port = properties.get().getOrDefault("port", "");
    if (!port.matches("\\d{1,5}")) {
      throw new IllegalArgumentException(
          "Broker %s: port is '%s'; choose a number.".formatted(name, port));
    }
    return new MemoryBroker(
        name, Integer.parseInt(port), Duration.ofSeconds(5), Duration.ofSeconds(30));
  }

  @Override
  public List<Check> checks() {
    return List.of(MemoryCheck.values());
  }
}
