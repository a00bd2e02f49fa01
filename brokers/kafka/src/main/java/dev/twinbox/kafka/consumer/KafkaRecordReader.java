package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.CloudEvent;
import dev.twinbox.inbox.Delivery;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** Reads a record in the Kafka binding of CloudEvents, binary mode. */
final class KafkaRecordReader {
  private static final String PREFIX = "ce_";
  private static final String CONTENT_TYPE = "content-type";

  private KafkaRecordReader() {}

  static Delivery delivery(ConsumerRecord<byte[], byte[]> record, boolean redelivered) {
    CloudEvent event = new CloudEvent();
    String contentType = null;
    for (Header header : record.headers()) {
      byte[] value = header.value();
      if (value == null) {
        continue;
      }
      String name = header.key();
      if (name.startsWith(PREFIX)) {
        attribute(event, name, value);
      } else if (name.equals(CONTENT_TYPE)) {
        contentType = new String(value, StandardCharsets.UTF_8);
      } else {
        event.header(name, new String(value, StandardCharsets.UTF_8));
      }
    }
    return event.toDelivery(
        key(record.key()), contentType, record.value(), origin(record), redelivered);
  }

  private static String origin(ConsumerRecord<byte[], byte[]> record) {
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
  private static @Nullable String key(byte @Nullable [] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }
}
