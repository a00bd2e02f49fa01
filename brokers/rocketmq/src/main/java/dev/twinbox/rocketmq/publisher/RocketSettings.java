package dev.twinbox.rocketmq.publisher;

import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.remoting.RPCHook;
import org.jspecify.annotations.Nullable;

/** Makes producers by the user's settings, and refuses those that would break a guarantee. */
final class RocketSettings {
  private static final String NAME_SERVER = "namesrv.addr";
  private static final String ACCESS_KEY = "access.key";
  private static final String SECRET_KEY = "secret.key";
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
    Map<String, String> given = new HashMap<>(properties.get());
    String group = take(given, GROUP);
    DefaultMQProducer producer =
        new DefaultMQProducer(group == null ? DEFAULT_GROUP : group, credentials(given));
    producer.setPollNameServerInterval(ROUTE_INTERVAL_MILLIS);
    producer.setMqClientApiTimeout(API_TIMEOUT_MILLIS);
    // The broker compares what arrives with its limit: compressed, it would be hard to foresee.
    producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
    producer.setRetryTimesWhenSendFailed(0);
    producer.setRetryTimesWhenSendAsyncFailed(0);
    apply(given, producer);
    customizer.accept(producer);
    check(producer);
    producer.setInstanceName(instance);
    return producer;
  }

  private @Nullable RPCHook credentials(Map<String, String> given) {
    String accessKey = take(given, ACCESS_KEY);
    String secretKey = take(given, SECRET_KEY);
    if (accessKey == null && secretKey == null) {
      return null;
    }
    if (accessKey == null || secretKey == null) {
      throw new IllegalArgumentException(
          "Broker %s: of %s and %s one is missing. Set both, or none."
              .formatted(broker, ACCESS_KEY, SECRET_KEY));
    }
    return new AclClientRPCHook(new SessionCredentials(accessKey, secretKey));
  }

  private void apply(Map<String, String> given, ClientConfig config) {
    Properties settings = new Properties();
    given.forEach((name, value) -> settings.setProperty(ownName(name), value.strip()));
    MixAll.properties2Object(settings, config);
  }

  /** By the setter that takes it: {@code useTLS} for {@code use.tls}. */
  private String ownName(String name) {
    String setter = "set" + plain(name);
    for (Method method : DefaultMQProducer.class.getMethods()) {
      if (method.getName().equalsIgnoreCase(setter) && method.getParameterCount() == 1) {
        String property = method.getName().substring("set".length());
        return property.substring(0, 1).toLowerCase(Locale.ROOT) + property.substring(1);
      }
    }
    throw new IllegalArgumentException(
        "Broker %s: %s is no setting of RocketMQ's DefaultMQProducer. Correct or remove it."
            .formatted(broker, name));
  }

  private static String plain(String name) {
    return name.replace(".", "");
  }

  private static @Nullable String take(Map<String, String> given, String name) {
    String found = null;
    for (String spelling : List.copyOf(given.keySet())) {
      if (plain(spelling).equalsIgnoreCase(plain(name))) {
        found = given.remove(spelling);
      }
    }
    return found;
  }

  private void check(DefaultMQProducer producer) {
    String nameServer = producer.getNamesrvAddr();
    if (nameServer == null || nameServer.isBlank()) {
      throw new IllegalArgumentException(
          "Broker %s: %s is missing. Name RocketMQ's name servers, as host:port;host:port."
              .formatted(broker, NAME_SERVER));
    }
    if (producer.getRetryTimesWhenSendAsyncFailed() != 0
        || producer.getRetryTimesWhenSendFailed() != 0) {
      throw new IllegalArgumentException(
          ("Broker %s: retry.times.when.send.failed=%s and retry.times.when.send.async.failed=%s are refused:"
                  + " a message sent again behind the relay's back may follow its successors. Leave"
                  + " both at 0; the relay publishes again itself.")
              .formatted(
                  broker,
                  producer.getRetryTimesWhenSendFailed(),
                  producer.getRetryTimesWhenSendAsyncFailed()));
    }
    if (producer.isRetryAnotherBrokerWhenNotStoreOK()) {
      throw new IllegalArgumentException(
          ("Broker %s: retry.another.broker.when.not.store.ok=true is refused: in another queue a message"
                  + " overtakes those of its key. Remove the setting.")
              .formatted(broker));
    }
  }
}
