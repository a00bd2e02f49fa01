package dev.twinbox.examples.soak;

import dev.twinbox.broker.SourceLag;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.rocketmq.consumer.RocketInboxConsumer;
import dev.twinbox.rocketmq.publisher.RocketBroker;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRocket;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * RocketMQ: a master and a slave, both of which have a message before it counts as published, and a
 * name server. Clients are told the brokers' addresses by the name server, so all of them meet the
 * same proxies: what cuts one off cuts off the others too.
 */
final class RocketSoak implements SoakBroker {
  private static final String TOPIC = "soak";
  private static final int QUEUES = 6;
  private static final int MASTER = 0;
  private static final int SLAVE = 1;
  private static final int NAME_SERVER = 2;

  private final TestRocket rocket;
  private final RocketBroker offsets;

  private RocketSoak(TestRocket rocket) {
    this.rocket = rocket;
    this.offsets = RocketBroker.named("rocketmq").nameServers(rocket.nameServer()).build();
  }

  static SoakBroker start() {
    TestRocket rocket = TestRocket.withSlave(Map.of());
    rocket.createTopic(TOPIC, QUEUES);
    return new RocketSoak(rocket);
  }

  /** A consumer in a process of its own, as {@link #consumerValues} tell it. */
  static AutoCloseable consume(Assignment assignment, Inbox inbox, Handler handler) {
    return RocketInboxConsumer.builder()
        .inbox(inbox)
        .handler(handler)
        .topics(assignment.get("TOPIC"))
        .nameServers(assignment.get("NAME_SERVER"))
        .group(SoakConsumer.CONSUMER)
        .batchSize(SoakConsumer.BATCH)
        .build()
        .start();
  }

  @Override
  public String destination() {
    return "rocketmq:" + TOPIC;
  }

  @Override
  public String lanes() {
    return "rocketmq";
  }

  @Override
  public Map<String, String> relayEnvironment(String process) {
    return Map.of("TWINBOX_ROCKETMQ_NAMESRV_ADDR", rocket.nameServer());
  }

  @Override
  public Map<String, String> consumerValues(String process) {
    return Map.of("TOPIC", TOPIC, "NAME_SERVER", rocket.nameServer());
  }

  @Override
  public List<FaultProxy> proxies(String process) {
    return List.of(rocket.nameServerProxy(), rocket.brokerProxy(MASTER), rocket.brokerProxy(SLAVE));
  }

  @Override
  public int nodes() {
    return NAME_SERVER + 1;
  }

  @Override
  public void kill(int node) {
    if (node == NAME_SERVER) {
      rocket.killNameServer();
    } else {
      rocket.kill(node);
    }
  }

  @Override
  public void restart(int node) {
    if (node == NAME_SERVER) {
      rocket.startNameServer();
    } else {
      rocket.startBroker(node);
    }
  }

  @Override
  public void pause(int node) {
    if (node == NAME_SERVER) {
      rocket.pauseNameServer();
    } else {
      rocket.pause(node);
    }
  }

  @Override
  public void resume(int node) {
    if (node == NAME_SERVER) {
      rocket.resumeNameServer();
    } else {
      rocket.resume(node);
    }
  }

  @Override
  public void raiseAlarm() {
    throw new UnsupportedOperationException("RocketMQ has no alarm that blocks publishers");
  }

  @Override
  public void clearAlarm() {}

  @Override
  public long unacknowledged() {
    SourceLag lag = offsets.lag(SoakConsumer.CONSUMER, List.of(TOPIC)).get(0);
    if (lag.error() != null) {
      throw new IllegalStateException("RocketMQ did not answer: " + lag.error());
    }
    return lag.partitions().stream()
        .mapToLong(queue -> queue.end() - (queue.committed() == null ? 0 : queue.committed()))
        .sum();
  }

  @Override
  public long setAside() {
    return 0;
  }

  /** By the broker's store time, queue by queue. */
  @Override
  public void read(Consumer<Entry> reader) {
    for (MessageExt message : rocket.read(TOPIC)) {
      reader.accept(
          new Entry(
              UUID.fromString(message.getKeys()),
              Instant.ofEpochMilli(message.getStoreTimestamp()),
              message.getQueueId() + ":" + message.getQueueOffset()));
    }
  }

  @Override
  public void saveLogs(Path folder) {
    rocket.saveLogs(folder);
  }

  @Override
  public void close() {
    offsets.close();
    rocket.close();
  }
}
