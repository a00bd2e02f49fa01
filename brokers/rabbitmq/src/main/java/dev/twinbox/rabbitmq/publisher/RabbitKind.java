package dev.twinbox.rabbitmq.publisher;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.BrokerKind;
import dev.twinbox.broker.doctor.Check;
import dev.twinbox.rabbitmq.RabbitRoute;
import dev.twinbox.rabbitmq.doctor.RabbitCheck;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** RabbitMQ, as the service that others find. Stateless. */
public final class RabbitKind implements BrokerKind {
  @Override
  public String prefix() {
    return "rabbitmq";
  }

  @Override
  public String addressForm() {
    return "exchange/routing.key";
  }

  @Override
  public void checkAddress(String address) {
    var unused = RabbitRoute.parse(address);
  }

  @Override
  public Consumption consumption() {
    return Consumption.QUEUES;
  }

  @Override
  public List<ClientSetting> settings() {
    return List.of(
        new ClientSetting(
            "uri",
            "URI",
            "RabbitMQ's address without a password, amqp://host:port/vhost; with one in the"
                + " environment or the file"),
        new ClientSetting(
            "management.uri",
            "URI",
            "Address of RabbitMQ's management plugin without a password, http://host:15672; with"
                + " one in the environment or the file. Without one, the credentials of the broker's"
                + " address are used"));
  }

  @Override
  public Broker open(String name, Supplier<Map<String, String>> properties) {
    return RabbitBroker.named(name).properties(properties).build();
  }

  @Override
  public List<Check> checks() {
    return List.of(RabbitCheck.values());
  }
}
