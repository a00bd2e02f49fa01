package dev.twinbox.rocketmq.publisher;

import dev.twinbox.broker.DestinationText;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Rfc3339;
import dev.twinbox.rocketmq.RocketTopic;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageConst;
import org.jspecify.annotations.Nullable;

/**
 * The wire format for RocketMQ: CloudEvents 1.0 as user properties, under the names of CloudEvents'
 * own Java library. docs/wire-format.md has the table.
 */
final class RocketMessageWriter {
  private static final String PREFIX = "CE_";
  private static final String RECORD_PREFIX = "ce_";
  private static final String TRACE_PARENT = "ce_traceparent";

  /** RocketMQ takes no empty body; CloudEvents' library reads this as an event without data. */
  private static final byte[] NOTHING = {0};

  private RocketMessageWriter() {}

  /**
   * @throws IllegalArgumentException when RocketMQ cannot carry one of the headers
   */
  static Message message(OutboxRecord record, RocketTopic topic) {
    record.refuseStructuredMode();
    byte[] payload = record.payload();
    Message message = new Message(topic.topic(), body(payload));
    if (topic.tag() != null) {
      message.setTags(topic.tag());
    }
    String id = record.id().toString();
    message.setKeys(id);
    for (OutboxRecord.Header header : record.headers()) {
      String name = header.name();
      if (name.startsWith(RECORD_PREFIX)) {
        put(message, PREFIX + name.substring(RECORD_PREFIX.length()), header.value());
        if (name.equals(TRACE_PARENT)) {
          // Tracing libraries look for the plain name.
          put(message, "traceparent", header.value());
        }
      } else {
        refuseReserved(name);
        put(message, name, header.value());
      }
    }
    put(message, "CE_specversion", "1.0");
    put(message, "CE_id", id);
    put(message, "CE_type", record.type());
    put(message, "CE_time", Rfc3339.micros(record.createdAt()));
    put(message, "CE_destination", record.destination());
    if (record.contentType() != null) {
      put(message, "CE_contenttype", record.contentType());
    }
    String key = record.key();
    if (key != null) {
      put(message, "CE_partitionkey", key);
      // The message group of RocketMQ 5: consumers through its proxy keep its order, too.
      put(message, MessageConst.PROPERTY_SHARDING_KEY, key);
    }
    if (record.expiresAt() != null) {
      put(message, "CE_expirytime", Rfc3339.micros(record.expiresAt()));
    }
    if (payload == null) {
      put(message, "CE_tombstone", "true");
    } else if (payload.length == 0) {
      put(message, "CE_emptydata", "true");
    }
    return message;
  }

  private static byte[] body(byte @Nullable [] payload) {
    return payload == null || payload.length == 0 ? NOTHING : payload;
  }

  /** Some names are orders to the broker: one of them delays the message. */
  private static void refuseReserved(String name) {
    if (MessageConst.STRING_HASH_SET.contains(name)
        || name.equals(MessageConst.PROPERTY_SHARDING_KEY)
        || name.startsWith(PREFIX)) {
      throw new IllegalArgumentException(
          "the header %s has a meaning of its own in RocketMQ. Use another name."
              .formatted(DestinationText.shown(name)));
    }
  }

  private static void put(Message message, String name, String value) {
    refuseSeparators(name);
    refuseSeparators(value);
    if (value.isEmpty()) {
      throw new IllegalArgumentException(
          "the header %s is empty, and RocketMQ would leave it out. Leave it out, or fill it."
              .formatted(DestinationText.shown(name)));
    }
    MessageAccessor.putProperty(message, name, value);
  }

  /** RocketMQ joins all properties by these characters, and does not escape them. */
  private static void refuseSeparators(String text) {
    if (text.indexOf('\u0001') >= 0 || text.indexOf('\u0002') >= 0) {
      throw new IllegalArgumentException(
          "the header or its value %s has the control character U+0001 or U+0002, which separate"
                  .formatted(DestinationText.shown(text))
              + " properties in RocketMQ. Encode it.");
    }
  }
}
