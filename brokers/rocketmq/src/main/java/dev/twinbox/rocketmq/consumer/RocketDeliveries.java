package dev.twinbox.rocketmq.consumer;

import dev.twinbox.inbox.CloudEvent;
import dev.twinbox.inbox.Delivery;
import java.util.Map;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;
import org.jspecify.annotations.Nullable;

/**
 * Makes deliveries of RocketMQ's messages, for consumers that people have already: {@code
 * inbox.receive(RocketDeliveries.of(message), handler)}. Messages are read in Twinbox's mapping of
 * CloudEvents, see docs/wire-format.md.
 *
 * <p>A message that may have been delivered before is {@link Delivery#again()}: its attempts are
 * then recorded before its handler runs. Thread-safe.
 */
public final class RocketDeliveries {
  private static final String PREFIX = "CE_";
  private static final String CONTENT_TYPE = PREFIX + "contenttype";
  private static final String TOMBSTONE = PREFIX + "tombstone";
  private static final String EMPTY = PREFIX + "emptydata";
  private static final byte[] NOTHING = {};

  private RocketDeliveries() {}

  /** The message's delivery, with the id of {@code CE_id}; redelivered where RocketMQ says so. */
  public static Delivery of(MessageExt message) {
    return delivery(message, message.getReconsumeTimes() > 0);
  }

  static Delivery delivery(MessageExt message, boolean redelivered) {
    CloudEvent event = new CloudEvent();
    String contentType = null;
    for (Map.Entry<String, String> property : message.getProperties().entrySet()) {
      String name = property.getKey();
      String value = property.getValue();
      switch (name) {
        case CONTENT_TYPE -> contentType = value;
        case TOMBSTONE, EMPTY -> {}
        default -> {
          if (name.startsWith(PREFIX)) {
            event.attribute(name.substring(PREFIX.length()), value);
          } else if (!isBrokers(name)) {
            event.header(name, value);
          }
        }
      }
    }
    return event.toDelivery(
        message.getProperty(MessageConst.PROPERTY_SHARDING_KEY),
        contentType,
        payload(message),
        "rocketmq:%s/%s-%s/%s"
            .formatted(
                message.getTopic(),
                message.getBrokerName(),
                message.getQueueId(),
                message.getQueueOffset()),
        redelivered);
  }

  private static boolean isBrokers(String name) {
    return MessageConst.STRING_HASH_SET.contains(name)
        || name.equals(MessageConst.PROPERTY_SHARDING_KEY);
  }

  /** RocketMQ takes no empty body: one byte stands for it, and a property says for what. */
  private static byte @Nullable [] payload(MessageExt message) {
    byte[] body = message.getBody();
    boolean placeholder = body.length == 1 && body[0] == 0;
    if (placeholder && Boolean.parseBoolean(message.getProperty(TOMBSTONE))) {
      return null;
    }
    return placeholder && Boolean.parseBoolean(message.getProperty(EMPTY)) ? NOTHING : body;
  }
}
