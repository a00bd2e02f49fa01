package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.CloudEvent;
import dev.twinbox.inbox.Delivery;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * Makes deliveries of Kafka's records, for consumers that people have already: {@code
 * inbox.receive(KafkaDeliveries.of(record), handler)}. Records are read in the Kafka binding of
 * CloudEvents, binary mode, see docs/wire-format.md.
 *
 * <p>Key and value can be bytes or text, as by Kafka's ByteArray-, Bytes-, ByteBuffer- and
 * StringDeserializer. A record that may have been delivered before is {@link Delivery#again()}: its
 * attempts are then recorded before its handler runs. Thread-safe.
 */
public final class KafkaDeliveries {
  private static final String PREFIX = "ce_";
  private static final String CONTENT_TYPE = "content-type";

  private KafkaDeliveries() {}

  /**
   * The record's delivery, with the id of its header {@code ce_id}.
   *
   * @throws IllegalArgumentException when key or value was decoded to something else
   */
  public static Delivery of(ConsumerRecord<?, ?> record) {
    return delivery(record, null, false);
  }

  /**
   * The same with an id from elsewhere, such as {@link #header}, {@link #key} or {@link #offset}.
   *
   * @param id null where the record has none: it is quarantined then
   */
  public static Delivery of(
      ConsumerRecord<?, ?> record, Function<ConsumerRecord<?, ?>, @Nullable String> id) {
    return delivery(record, id, false);
  }

  /** The id is in the last header of this name, as text. */
  public static Function<ConsumerRecord<?, ?>, @Nullable String> header(String name) {
    return record -> {
      Header header = record.headers().lastHeader(name);
      return header == null ? null : text(header.value());
    };
  }

  /** The id is the record's key: only for topics in which each key is one message. */
  public static Function<ConsumerRecord<?, ?>, @Nullable String> key() {
    return record -> text(bytes("key", record.key()));
  }

  /**
   * The id is topic, partition and offset, for records without one. It makes a record's redelivery
   * harmless, but not its producer's second try, nor a topic made anew.
   */
  public static Function<ConsumerRecord<?, ?>, @Nullable String> offset() {
    return record -> record.topic() + "/" + record.partition() + "/" + record.offset();
  }

  /** As the consumer of this module reads it. */
  static Delivery delivery(ConsumerRecord<byte[], byte[]> record, boolean redelivered) {
    return delivery(record, null, redelivered);
  }

  private static Delivery delivery(
      ConsumerRecord<?, ?> record,
      @Nullable Function<ConsumerRecord<?, ?>, @Nullable String> id,
      boolean redelivered) {
    CloudEvent event = new CloudEvent();
    String contentType = null;
    for (Header header : record.headers()) {
      byte[] value = header.value();
      if (value == null) {
        continue;
      }
      String name = header.key();
      if (id != null && name.equals(PREFIX + "id")) {
        event.header(name, new String(value, StandardCharsets.UTF_8));
      } else if (name.startsWith(PREFIX)) {
        attribute(event, name, value);
      } else if (name.equals(CONTENT_TYPE)) {
        contentType = new String(value, StandardCharsets.UTF_8);
      } else {
        event.header(name, new String(value, StandardCharsets.UTF_8));
      }
    }
    String chosen = id == null ? null : id.apply(record);
    if (chosen != null) {
      event.attribute("id", chosen);
    }
    return event.toDelivery(
        text(bytes("key", record.key())),
        contentType,
        bytes("value", record.value()),
        origin(record),
        redelivered);
  }

  private static String origin(ConsumerRecord<?, ?> record) {
    return "kafka:" + record.topic() + "/" + record.partition() + "/" + record.offset();
  }

  private static void attribute(CloudEvent event, String name, byte[] value) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
      event.attribute(name.substring(PREFIX.length()), text);
    } catch (CharacterCodingException e) {
      event.defect("The header '%s' is not UTF-8.".formatted(name));
    }
  }

  /** Others put bytes of any kind into their keys and headers: that is no defect. */
  private static @Nullable String text(byte @Nullable [] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  private static byte @Nullable [] bytes(String part, @Nullable Object value) {
    if (value == null || value instanceof byte[]) {
      return (byte[]) value;
    }
    if (value instanceof String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }
    if (value instanceof Bytes bytes) {
      return bytes.get();
    }
    if (value instanceof ByteBuffer buffer) {
      byte[] bytes = new byte[buffer.remaining()];
      buffer.duplicate().get(bytes);
      return bytes;
    }
    throw new IllegalArgumentException(
        ("The record's %s is a %s, of which the bytes are not known any more. Consume with"
                + " ByteArrayDeserializer or StringDeserializer, or describe the message by"
                + " Delivery.builder().")
            .formatted(part, value.getClass().getName()));
  }
}
