package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Envelope;
import dev.twinbox.inbox.CloudEvent;
import dev.twinbox.inbox.Delivery;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes deliveries of RabbitMQ's messages, for consumers that people have already: {@code
 * inbox.receive(RabbitDeliveries.of("orders", properties, body), handler)}. Messages are read in
 * Twinbox's mapping of CloudEvents to AMQP 0-9-1, see docs/wire-format.md.
 *
 * <p>A message that may have been delivered before is {@link Delivery#again()}: its attempts are
 * then recorded before its handler runs. Thread-safe.
 */
public final class RabbitDeliveries {
  private static final String PREFIX = "cloudEvents_";
  private static final String TOMBSTONE = PREFIX + "tombstone";

  // The relay's own mark, by which it finds a message again that the broker returns; and what a
  // quorum queue writes anew at each delivery.
  private static final Set<String> NOT_THE_SENDERS =
      Set.of("twinbox-publish", "x-delivery-count", "x-acquired-count");

  private RabbitDeliveries() {}

  /**
   * The message's delivery, where its queue is not known. Without a source, an id that is no UUIDv7
   * could be that of another queue's message: such a message is quarantined, see {@link #of(String,
   * BasicProperties, byte[])}.
   */
  public static Delivery of(BasicProperties properties, byte[] body) {
    return delivery(null, properties, body, null, false);
  }

  /**
   * The message's delivery, with the id of {@code message-id} and {@code cloudEvents_id}.
   *
   * @param queue which it was taken from
   */
  public static Delivery of(String queue, BasicProperties properties, byte[] body) {
    return delivery(queue, properties, body, null, false);
  }

  /**
   * The same with an id from elsewhere, such as {@link #header}.
   *
   * @param id null where the message has none: it is quarantined then
   */
  public static Delivery of(
      String queue,
      BasicProperties properties,
      byte[] body,
      Function<BasicProperties, @Nullable String> id) {
    return delivery(queue, properties, body, id, false);
  }

  /** The id is in the header of this name, as text. */
  public static Function<BasicProperties, @Nullable String> header(String name) {
    return properties -> {
      Map<String, Object> headers = properties.getHeaders();
      return headers == null ? null : text(headers.get(name));
    };
  }

  /** As the consumer of this module reads it. */
  static Delivery delivery(
      String queue, Envelope envelope, BasicProperties properties, byte[] body) {
    return delivery(queue, properties, body, null, envelope.isRedeliver());
  }

  private static Delivery delivery(
      @Nullable String queue,
      BasicProperties properties,
      byte[] body,
      @Nullable Function<BasicProperties, @Nullable String> id,
      boolean redelivered) {
    CloudEvent event = new CloudEvent();
    boolean tombstone = headers(event, properties, id == null);
    attribute(event, "id", id == null ? properties.getMessageId() : id.apply(properties));
    attribute(event, "type", properties.getType());
    if (event.attribute("time") == null) {
      attribute(event, "time", text(properties.getTimestamp()));
    }
    String known = event.attribute("id");
    if (queue == null && event.isAmbiguous()) {
      event.defect(
          ("The id '%s' is no UUIDv7 and there is no source: a message of another queue could have"
                  + " it. Name the queue: RabbitDeliveries.of(queue, properties, body).")
              .formatted(known));
    }
    // Two messages must not share an origin.
    Object name = known != null ? known : UUID.randomUUID();
    return event.toDelivery(
        null,
        properties.getContentType(),
        tombstone && body.length == 0 ? null : body,
        "rabbitmq:%s/%s".formatted(queue == null ? "" : queue, name),
        redelivered);
  }

  /** Tells whether they say that the message is a tombstone. */
  private static boolean headers(CloudEvent event, BasicProperties properties, boolean withId) {
    Map<String, Object> headers = properties.getHeaders();
    if (headers == null) {
      return false;
    }
    boolean tombstone = false;
    for (Map.Entry<String, Object> header : headers.entrySet()) {
      String name = header.getKey();
      String value = text(header.getValue());
      if (value == null || NOT_THE_SENDERS.contains(name)) {
        continue;
      }
      if (name.equals(CloudEvent.UNREADABLE)) {
        event.defect("The headers cannot be read: %s.".formatted(value));
      }
      if (name.equals(TOMBSTONE)) {
        tombstone = Boolean.parseBoolean(value.replace("\"", "").strip());
      } else if (name.startsWith(PREFIX) && (withId || !name.equals(PREFIX + "id"))) {
        event.attribute(name.substring(PREFIX.length()), value);
      } else {
        event.header(name, value);
      }
    }
    return tombstone;
  }

  /** Where both are given they have to agree. */
  private static void attribute(CloudEvent event, String name, @Nullable String property) {
    if (property != null) {
      event.attribute(name, property);
    }
  }

  private static @Nullable String text(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    if (value instanceof byte[] bytes) {
      return Base64.getEncoder().encodeToString(bytes);
    }
    if (value instanceof List<?> list) {
      return list.stream().map(RabbitDeliveries::text).toList().toString();
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable String> texts = new TreeMap<>();
      map.forEach((name, inner) -> texts.put(String.valueOf(name), text(inner)));
      return texts.toString();
    }
    return value instanceof Date date ? date.toInstant().toString() : value.toString();
  }
}
