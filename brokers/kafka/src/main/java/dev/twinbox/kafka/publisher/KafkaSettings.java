package dev.twinbox.kafka.publisher;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** The producer's settings: the user's, what a guarantee needs, and our defaults. */
final class KafkaSettings {
  private static final String FOREVER = String.valueOf(Integer.MAX_VALUE);
  private static final long DEFAULT_BUFFER = 16L << 20;
  private static final long DEFAULT_REQUEST = 1L << 20;

  /** What a guarantee rests on: set by us, refused when the user says otherwise. */
  private static final List<Rule> RULES =
      List.of(
          new Rule(
              "acks",
              "all",
              value -> value.equalsIgnoreCase("all") || value.equals("-1"),
              "only acks=all confirms what survives the loss of a broker"),
          new Rule(
              "enable.idempotence",
              "true",
              value -> value.equalsIgnoreCase("true"),
              "without it a retry repeats messages and turns their order round"),
          new Rule(
              "retries",
              FOREVER,
              value -> value.equals(FOREVER),
              "a client that gives up on one message sends its followers first"),
          new Rule(
              "delivery.timeout.ms",
              FOREVER,
              value -> value.equals(FOREVER),
              "a client that gives up on one message sends its followers first; use the"
                  + " broker's confirmTimeout"),
          new Rule(
              "max.block.ms",
              "0",
              value -> value.equals("0"),
              "the relay must never be blocked; use the broker's metadataTimeout"),
          new Rule(
              "key.serializer",
              ByteArraySerializer.class.getName(),
              value -> value.equals(ByteArraySerializer.class.getName()),
              "messages are bytes already"),
          new Rule(
              "value.serializer",
              ByteArraySerializer.class.getName(),
              value -> value.equals(ByteArraySerializer.class.getName()),
              "messages are bytes already"),
          Rule.forbid(
              "max.in.flight.requests.per.connection",
              value -> number("max.in.flight.requests.per.connection", value) <= 5,
              "above 5 the broker cannot keep the order of retries"),
          Rule.forbid(
              "transactional.id",
              String::isEmpty,
              "the relay publishes at least once and fences by its lease"),
          Rule.forbid(
              "transaction.two.phase.commit.enable",
              value -> value.equalsIgnoreCase("false"),
              "the relay publishes at least once and fences by its lease"),
          Rule.forbid(
              "partitioner.class",
              String::isEmpty,
              "order holds only where a key always meets the same partition"),
          Rule.forbid(
              "partitioner.ignore.keys",
              value -> value.equalsIgnoreCase("false"),
              "order holds only where a key always meets the same partition"),
          Rule.forbid(
              "interceptor.classes",
              String::isEmpty,
              "an interceptor can change key, topic and headers behind the relay's back"));

  private KafkaSettings() {}

  /**
   * Checks and completes the user's settings.
   *
   * @throws IllegalArgumentException for a setting that would break a guarantee
   */
  static Map<String, Object> complete(String broker, int lane, Map<String, ?> user) {
    Map<String, Object> settings = new HashMap<>(user);
    for (Rule rule : RULES) {
      rule.apply(broker, settings);
    }
    if (text(settings.get("bootstrap.servers")).isEmpty()) {
      throw new IllegalArgumentException(
          "Broker %s has no bootstrap.servers. Set it, for example to 'kafka-1:9092,kafka-2:9092'."
              .formatted(broker));
    }
    settings.putIfAbsent("client.id", "twinbox-" + broker.replace('@', '-') + "-lane-" + lane);
    settings.putIfAbsent("linger.ms", "0");
    settings.putIfAbsent("batch.size", "32768");
    long request = number("max.request.size", settings, DEFAULT_REQUEST);
    settings.putIfAbsent("buffer.memory", String.valueOf(Math.max(DEFAULT_BUFFER, 4 * request)));
    if (bufferMemory(settings) < request) {
      throw new IllegalArgumentException(
          "Broker %s: buffer.memory=%s is less than max.request.size=%s. Raise buffer.memory; each lane has one such buffer."
              .formatted(broker, settings.get("buffer.memory"), request));
    }
    return settings;
  }

  static long bufferMemory(Map<String, Object> settings) {
    return number("buffer.memory", settings, DEFAULT_BUFFER);
  }

  private static long number(String name, Map<String, Object> settings, long otherwise) {
    Object value = settings.get(name);
    return value == null ? otherwise : number(name, text(value));
  }

  private static long number(String name, String value) {
    try {
      return Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("%s=%s is not a whole number.".formatted(name, value), e);
    }
  }

  private static String text(@Nullable Object value) {
    if (value instanceof Class<?> type) {
      return type.getName();
    }
    if (value instanceof List<?> list) {
      return String.join(",", list.stream().map(KafkaSettings::text).toList());
    }
    return value == null ? "" : value.toString().trim();
  }

  private record Rule(String name, String fixed, Predicate<String> allowed, String why) {
    static Rule forbid(String name, Predicate<String> allowed, String why) {
      return new Rule(name, "", allowed, why);
    }

    void apply(String broker, Map<String, Object> settings) {
      Object value = settings.get(name);
      if (value != null && !allowed.test(text(value))) {
        throw new IllegalArgumentException(
            "Broker %s: %s=%s is refused: %s. Remove the setting."
                .formatted(broker, name, text(value), why));
      }
      if (!fixed.isEmpty()) {
        settings.put(name, fixed);
      }
    }
  }
}
