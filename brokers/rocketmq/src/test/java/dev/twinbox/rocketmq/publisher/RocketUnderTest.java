package dev.twinbox.rocketmq.publisher;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.broker.Broker;
import dev.twinbox.contract.Arrived;
import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.testkit.TestRocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.rocketmq.common.message.MessageExt;

/** One broker and its name server, with proxies between them and the publishers. */
public final class RocketUnderTest implements BrokerUnderTest, AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 100_000;

  final TestRocket rocket =
      TestRocket.start(Map.of("maxMessageSize", Integer.toString(MAX_MESSAGE_BYTES)));

  @Override
  public Broker broker(Duration lookTimeout, Duration confirmTimeout) {
    return builder().lookTimeout(lookTimeout).confirmTimeout(confirmTimeout).build();
  }

  RocketBroker.Builder builder() {
    return RocketBroker.named("rocketmq").nameServers(rocket.nameServer());
  }

  @Override
  public String newDestination() {
    String destination = missingDestination();
    create(destination);
    return destination;
  }

  @Override
  public String missingDestination() {
    return "rocketmq:topic-" + UUID.randomUUID() + "/placed";
  }

  @Override
  public void create(String destination) {
    rocket.createTopic(topic(destination), 4);
  }

  @Override
  public int tooManyBytes() {
    return MAX_MESSAGE_BYTES + 1;
  }

  @Override
  public List<Arrived> read(String destination) {
    return messages(destination).stream().map(RocketUnderTest::arrived).toList();
  }

  List<MessageExt> messages(String destination) {
    return rocket.read(topic(destination));
  }

  private static Arrived arrived(MessageExt message) {
    Map<String, String> properties = message.getProperties();
    String payload =
        properties.containsKey("CE_emptydata") ? "" : new String(message.getBody(), UTF_8);
    return new Arrived(
        message.getKeys(),
        properties.get("CE_partitionkey"),
        properties.containsKey("CE_tombstone") ? null : payload,
        Map.copyOf(properties));
  }

  @Override
  public void takeDown() {
    rocket.nameServerProxy().refuse();
    rocket.brokerProxy(0).refuse();
    rocket.nameServerProxy().cut();
    rocket.brokerProxy(0).cut();
  }

  @Override
  public void bringBack() {
    rocket.nameServerProxy().restore();
    rocket.brokerProxy(0).restore();
  }

  @Override
  public void freeze() {
    rocket.nameServerProxy().freeze();
    rocket.brokerProxy(0).freeze();
  }

  @Override
  public void thaw() {
    rocket.nameServerProxy().thaw();
    rocket.brokerProxy(0).thaw();
  }

  @Override
  public void close() {
    rocket.close();
  }

  static String topic(String destination) {
    String address = destination.substring(destination.indexOf(':') + 1);
    return address.substring(0, address.indexOf('/'));
  }
}
