package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.impl.AMQImpl;
import com.rabbitmq.client.impl.Frame;
import dev.twinbox.inbox.CloudEvent;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes the properties of a message readable for RabbitMQ's client, which closes its connection at
 * some that the broker takes: at headers nested deeper than 32, and at values of an unknown type.
 * Nobody could acknowledge such a message, and it would come again and again, together with its
 * neighbours.
 *
 * <p>What cannot be read is left out; {@link CloudEvent#UNREADABLE} says so. The other properties
 * stay, where they can be told apart.
 */
final class ReadableHeader {
  // AMQP 0-9-1, section 4.2.6.1: class (2), weight (2), body size (8), then the property flags
  private static final int FLAGS_AT = 12;
  private static final int HAS_CONTENT_TYPE = 1 << 15;
  private static final int HAS_CONTENT_ENCODING = 1 << 14;
  private static final int HAS_HEADERS = 1 << 13;
  private static final int IS_CONTINUED = 1;

  private ReadableHeader() {}

  /** The frame itself unless it is a content header that the client cannot read. */
  static Frame of(Frame frame) throws IOException {
    if (FramePart.TYPE.of(frame) != AMQP.FRAME_HEADER) {
      return frame;
    }
    byte[] payload = frame.getPayload();
    String complaint = complaint(payload);
    if (complaint == null) {
      return frame;
    }
    byte @Nullable [] mended = withoutHeaders(payload, complaint);
    if (mended == null || complaint(mended) != null) {
      mended = onlyHeaders(payload, complaint);
    }
    return new Frame(AMQP.FRAME_HEADER, FramePart.CHANNEL.of(frame), mended);
  }

  /** Why the client cannot read it; null when it can. */
  private static @Nullable String complaint(byte[] payload) {
    try {
      AMQImpl.readContentHeaderFrom(new DataInputStream(new ByteArrayInputStream(payload)));
      return null;
    } catch (IOException | RuntimeException e) {
      return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
  }

  /** Only the table is replaced; null when it cannot be found or is not what is wrong. */
  private static byte @Nullable [] withoutHeaders(byte[] payload, String complaint)
      throws IOException {
    ByteBuffer in = ByteBuffer.wrap(payload);
    int flags = Short.toUnsignedInt(in.getShort(FLAGS_AT));
    if ((flags & HAS_HEADERS) == 0 || (flags & IS_CONTINUED) != 0) {
      return null;
    }
    int tableAt = FLAGS_AT + Short.BYTES;
    if ((flags & HAS_CONTENT_TYPE) != 0) {
      tableAt += shortString(in, tableAt);
    }
    if ((flags & HAS_CONTENT_ENCODING) != 0) {
      tableAt += shortString(in, tableAt);
    }
    int contentsAt = tableAt + Integer.BYTES;
    if (contentsAt > payload.length) {
      return null;
    }
    long end = contentsAt + Integer.toUnsignedLong(in.getInt(tableAt));
    if (end > payload.length) {
      return null;
    }
    byte[] left = Arrays.copyOfRange(payload, contentsAt, (int) end);
    byte[] table =
        table(Map.of(CloudEvent.UNREADABLE, complaint, CloudEvent.UNREADABLE_TABLE, left));
    return ByteBuffer.allocate(tableAt + table.length + payload.length - (int) end)
        .put(payload, 0, tableAt)
        .put(table)
        .put(payload, (int) end, payload.length - (int) end)
        .array();
  }

  /** The bytes of a short string with its length before it; more than there are if it has none. */
  private static int shortString(ByteBuffer in, int at) {
    return at < in.limit() ? 1 + Byte.toUnsignedInt(in.get(at)) : in.limit();
  }

  private static byte[] onlyHeaders(byte[] payload, String complaint) throws IOException {
    byte[] left = Arrays.copyOfRange(payload, FLAGS_AT, payload.length);
    byte[] table =
        table(Map.of(CloudEvent.UNREADABLE, complaint, CloudEvent.UNREADABLE_TABLE, left));
    return ByteBuffer.allocate(FLAGS_AT + Short.BYTES + table.length)
        .put(payload, 0, FLAGS_AT)
        .putShort((short) HAS_HEADERS)
        .put(table)
        .array();
  }

  /** With its length before it, as the client writes it. */
  private static byte[] table(Map<String, Object> headers) throws IOException {
    byte[] header =
        new AMQP.BasicProperties.Builder()
            .headers(new HashMap<>(headers))
            .build()
            .toFrame(1, 0)
            .getPayload();
    return Arrays.copyOfRange(header, FLAGS_AT + Short.BYTES, header.length);
  }
}
