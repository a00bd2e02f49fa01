package dev.twinbox.rocketmq.publisher;

import dev.twinbox.rocketmq.ClientSettings;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** Makes producers by the user's settings, and refuses those that would break a guarantee. */
final class RocketSettings {
  private static final String GROUP = "producer.group";
  private static final String DEFAULT_GROUP = "twinbox";
  private static final int ROUTE_INTERVAL_MILLIS = 5_000;
  private static final int API_TIMEOUT_MILLIS = 5_000;

  private final String broker;
  private final Supplier<Map<String, String>> properties;
  private final Consumer<DefaultMQProducer> customizer;

  RocketSettings(
      String broker,
      Supplier<Map<String, String>> properties,
      Consumer<DefaultMQProducer> customizer) {
    this.broker = broker;
    this.properties = properties;
    this.customizer = customizer;
  }

  /**
   * A producer by the settings as they are now, which is not started.
   *
   * @param instance of this name in this JVM; producers of one name share their connections
   * @throws IllegalArgumentException for a setting that would break a guarantee
   */
  DefaultMQProducer producer(String instance) {
    ClientSettings given = new ClientSettings("Broker " + broker, properties.get());
    String group = given.take(GROUP);
    DefaultMQProducer producer =
        new DefaultMQProducer(group == null ? DEFAULT_GROUP : group, given.credentials());
    producer.setPollNameServerInterval(ROUTE_INTERVAL_MILLIS);
    producer.setMqClientApiTimeout(API_TIMEOUT_MILLIS);
    // The broker compares what arrives with its limit: compressed, it would be hard to foresee.
    producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
    producer.setRetryTimesWhenSendFailed(0);
    producer.setRetryTimesWhenSendAsyncFailed(0);
    given.applyTo(producer);
    customizer.accept(producer);
    given.requireNameServer(producer);
    refuseRetries(producer);
    producer.setInstanceName(instance);
    return producer;
  }

  private void refuseRetries(DefaultMQProducer producer) {
    if (producer.getRetryTimesWhenSendAsyncFailed() != 0
        || producer.getRetryTimesWhenSendFailed() != 0) {
      throw new IllegalArgumentException(
          ("Broker %s: retry.times.when.send.failed=%s and retry.times.when.send.async.failed=%s are"
                  + " refused: a message sent again behind the relay's back may follow its"
                  + " successors. Leave both at 0; the relay publishes again itself.")
              .formatted(
                  broker,
                  producer.getRetryTimesWhenSendFailed(),
                  producer.getRetryTimesWhenSendAsyncFailed()));
    }
    if (producer.isRetryAnotherBrokerWhenNotStoreOK()) {
      throw new IllegalArgumentException(
          ("Broker %s: retry.another.broker.when.not.store.ok=true is refused: in another queue a"
                  + " message overtakes those of its key. Remove the setting.")
              .formatted(broker));
    }
  }
}
