package dev.twinbox.rocketmq.consumer;

import dev.twinbox.rocketmq.ClientSettings;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.jspecify.annotations.Nullable;

/** Makes a consumer by the user's settings, and refuses those that would break a guarantee. */
final class RocketConsumerSettings {
  private static final String GROUP = "consumer.group";
  private static final String MODEL = "message.model";
  private static final String BEGINNING = "consume.from.where";
  private static final AtomicLong COUNTER = new AtomicLong();
  private static final int ROUTE_INTERVAL_MILLIS = 5_000;

  private final String who;
  private final Map<String, String> properties;
  private final boolean maySkipMessages;
  private final String group;

  RocketConsumerSettings(String consumer, Map<String, String> properties, boolean maySkipMessages) {
    this.who = "Consumer " + consumer;
    this.properties = Map.copyOf(properties);
    this.maySkipMessages = maySkipMessages;
    String given = new ClientSettings(who, properties).take(GROUP);
    if (given == null || given.isBlank()) {
      throw new IllegalArgumentException(
          "%s: %s is missing. Name the group of RocketMQ that it belongs to."
              .formatted(who, GROUP));
    }
    group = given;
  }

  String group() {
    return group;
  }

  /** Not started. */
  DefaultMQPushConsumer consumer() {
    ClientSettings given = new ClientSettings(who, properties);
    given.take(GROUP);
    refuseBroadcasting(given.take(MODEL));
    ConsumeFromWhere beginning = beginning(given.take(BEGINNING));
    RPCHook credentials = given.credentials();
    DefaultMQPushConsumer consumer =
        new DefaultMQPushConsumer(group, credentials, new AllocateMessageQueueAveragely());
    consumer.setPollNameServerInterval(ROUTE_INTERVAL_MILLIS);
    consumer.setConsumeFromWhere(beginning);
    given.applyTo(consumer);
    given.requireNameServer(consumer);
    refuseGivingUp(consumer);
    consumer.setInstanceName(instance());
    return consumer;
  }

  /** A client that asks the servers what they are set up for; not started. */
  DefaultMQProducer examiner() {
    Map<String, String> shared = new HashMap<>();
    for (String name : new String[] {"namesrv.addr", "use.tls", "access.key", "secret.key"}) {
      String value = new ClientSettings(who, properties).take(name);
      if (value != null) {
        shared.put(name, value);
      }
    }
    ClientSettings given = new ClientSettings(who, shared);
    DefaultMQProducer producer = new DefaultMQProducer("twinbox", given.credentials());
    given.applyTo(producer);
    producer.setInstanceName(instance());
    return producer;
  }

  private static String instance() {
    return "twinbox-%s-%s".formatted(ProcessHandle.current().pid(), COUNTER.incrementAndGet());
  }

  private void refuseBroadcasting(@Nullable String model) {
    if (model != null && !model.equals(MessageModel.CLUSTERING.name())) {
      throw new IllegalArgumentException(
          "%s: %s=%s is refused: offsets would be kept on this machine's disk. Leave it out."
              .formatted(who, MODEL, model));
    }
  }

  private ConsumeFromWhere beginning(@Nullable String given) {
    if (given == null || given.equals(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET.name())) {
      return ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET;
    }
    if (!maySkipMessages) {
      throw new IllegalArgumentException(
          ("%s: %s=%s is refused: a new group would skip what the topic holds. Leave it out, or say"
                  + " maySkipMessages().")
              .formatted(who, BEGINNING, given));
    }
    return ConsumeFromWhere.valueOf(given);
  }

  private void refuseGivingUp(DefaultMQPushConsumer consumer) {
    if (consumer.getMaxReconsumeTimes() != -1) {
      throw new IllegalArgumentException(
          ("%s: max.reconsume.times=%s is refused: RocketMQ would put messages aside before the inbox"
                  + " does. Leave it out; the inbox's backoff says when to give up.")
              .formatted(who, consumer.getMaxReconsumeTimes()));
    }
  }
}
