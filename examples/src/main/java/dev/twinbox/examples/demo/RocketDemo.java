package dev.twinbox.examples.demo;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.SourceLag;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.rocketmq.consumer.RocketInboxConsumer;
import dev.twinbox.rocketmq.publisher.RocketBroker;
import dev.twinbox.testkit.TestRocket;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/** RocketMQ's name server and broker as processes of their own. */
final class RocketDemo implements DemoBroker {
  private static final String TOPIC = "orders";
  private static final String GROUP = "billing";
  private static final int QUEUES = 6;

  private final TestRocket rocket = TestRocket.start();
  private final RocketBroker offsets = broker();

  private RocketDemo() {}

  static DemoBroker start() {
    RocketDemo started = new RocketDemo();
    started.rocket.createTopic(TOPIC, QUEUES);
    return started;
  }

  @Override
  public String destination() {
    return "rocketmq:" + TOPIC;
  }

  @Override
  public Broker forRelay() {
    return broker();
  }

  private RocketBroker broker() {
    return RocketBroker.named("rocketmq").nameServers(rocket.nameServer()).build();
  }

  @Override
  public AutoCloseable consume(Receiver receiver) {
    return RocketInboxConsumer.builder()
        .receiver(receiver)
        .topics(TOPIC)
        .nameServers(rocket.nameServer())
        .group(GROUP)
        .concurrency(2)
        .batchSize(200)
        .development()
        .build()
        .start();
  }

  @Override
  public Saboteur sabotage() {
    return RocketSaboteur.start(rocket.nameServer(), TOPIC);
  }

  @Override
  public long held() {
    return sum(SourceLag.Partition::end);
  }

  /** The topic holds nothing but messages, so an offset is a count. */
  @Override
  public long delivered() {
    return sum(queue -> queue.committed() == null ? 0 : queue.committed());
  }

  private long sum(ToLongFunction<SourceLag.Partition> number) {
    SourceLag lag = offsets.lag(GROUP, List.of(TOPIC)).get(0);
    if (lag.error() != null) {
      throw new IllegalStateException("RocketMQ did not answer: " + lag.error());
    }
    return lag.partitions().stream().mapToLong(number).sum();
  }

  @Override
  public void read(Consumer<UUID> reader) {
    rocket.read(TOPIC).forEach(message -> reader.accept(UUID.fromString(message.getKeys())));
  }

  @Override
  public String howToConnect() {
    return "mqadmin topicStatus -n %s -t %s".formatted(rocket.nameServer(), TOPIC);
  }

  @Override
  public void close() {
    offsets.close();
    rocket.close();
  }
}
