package dev.twinbox.cli;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.BrokerKind;
import dev.twinbox.broker.BrokerKind.ClientSetting;
import dev.twinbox.broker.BrokerKinds;
import dev.twinbox.broker.Destination;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Brokers by their name, and what the settings of their kinds are called. */
final class Brokers {
  private Brokers() {}

  /**
   * @param name which broker, of a kind that is known
   * @param properties asked anew for each connection, so that rotated credentials are taken up
   */
  static Broker make(String name, Supplier<Map<String, String>> properties) {
    return BrokerKinds.of(name)
        .orElseThrow(() -> new IllegalArgumentException("The kind of " + name + " is unknown"))
        .open(name, properties);
  }

  /** Whether this is a broker's name, and its kind is on the class path. */
  static boolean isName(String text) {
    return Destination.isBroker(text) && BrokerKinds.of(text).isPresent();
  }

  /** As in {@code kafka.bootstrap.servers}. */
  static String key(BrokerKind kind, ClientSetting setting) {
    return kind.prefix() + "." + setting.name();
  }

  /** As in {@code --kafka-bootstrap-servers}. */
  static String option(BrokerKind kind, ClientSetting setting) {
    return "--" + key(kind, setting).replace('.', '-');
  }

  /** As in {@code TWINBOX_KAFKA_BOOTSTRAP_SERVERS}. */
  static String variable(BrokerKind kind, ClientSetting setting) {
    return "TWINBOX_" + key(kind, setting).replace('.', '_').toUpperCase(Locale.ROOT);
  }

  /** The setting of each kind that says where its broker is, named in one of these ways. */
  static String addresses(
      List<BrokerKind> kinds, BiFunction<BrokerKind, ClientSetting, String> how, String between) {
    return kinds.stream()
        .flatMap(kind -> kind.settings().stream().limit(1).map(first -> how.apply(kind, first)))
        .collect(Collectors.joining(between));
  }
}
