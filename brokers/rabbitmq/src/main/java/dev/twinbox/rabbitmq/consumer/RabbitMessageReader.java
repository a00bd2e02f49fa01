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
import org.jspecify.annotations.Nullable;

/** Reads a message in Twinbox's mapping of CloudEvents to AMQP 0-9-1. */
final class RabbitMessageReader {
  private static final String PREFIX = "cloudEvents_";
  private static final String TOMBSTONE = PREFIX + "tombstone";

  // The relay's own mark, by which it finds a message again that the broker returns; and what a
  // quorum queue writes anew at each delivery.
  private static final Set<String> NOT_THE_SENDERS =
      Set.of("twinbox-publish", "x-delivery-count", "x-acquired-count");

  private RabbitMessageReader() {}

  static Delivery delivery(
      String queue, Envelope envelope, BasicProperties properties, byte[] body) {
    CloudEvent event = new CloudEvent();
    boolean tombstone = false;
    Map<String, Object> headers = properties.getHeaders();
    if (headers != null) {
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
        } else if (name.startsWith(PREFIX)) {
          event.attribute(name.substring(PREFIX.length()), value);
        } else {
          event.header(name, value);
        }
      }
    }
    attribute(event, "id", properties.getMessageId());
    attribute(event, "type", properties.getType());
    if (event.attribute("time") == null) {
      attribute(event, "time", text(properties.getTimestamp()));
    }
    return event.toDelivery(
        null,
        properties.getContentType(),
        tombstone && body.length == 0 ? null : body,
        origin(queue, envelope, event.attribute("id")),
        envelope.isRedeliver());
  }

  /** Where both are given they have to agree. */
  private static void attribute(CloudEvent event, String name, @Nullable String property) {
    if (property != null) {
      event.attribute(name, property);
    }
  }

  /** Delivery tags begin anew with each channel, and two messages must not share an origin. */
  private static String origin(String queue, Envelope envelope, @Nullable String id) {
    return "rabbitmq:%s/%s"
        .formatted(queue, id != null ? id : envelope.getDeliveryTag() + "-" + UUID.randomUUID());
  }

  private static @Nullable String text(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    if (value instanceof byte[] bytes) {
      return Base64.getEncoder().encodeToString(bytes);
    }
    if (value instanceof List<?> list) {
      return list.stream().map(RabbitMessageReader::text).toList().toString();
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable String> texts = new TreeMap<>();
      map.forEach((name, inner) -> texts.put(String.valueOf(name), text(inner)));
      return texts.toString();
    }
    return value instanceof Date date ? date.toInstant().toString() : value.toString();
  }
}
