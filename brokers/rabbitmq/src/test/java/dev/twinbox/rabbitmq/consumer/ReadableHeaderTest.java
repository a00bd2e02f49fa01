package dev.twinbox.rabbitmq.consumer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.impl.AMQImpl;
import com.rabbitmq.client.impl.Frame;
import dev.twinbox.inbox.CloudEvent;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Properties that RabbitMQ's client cannot read. */
class ReadableHeaderTest {
  private static final int BODY = 1_234;

  @Test
  void whatCanBeReadIsLeftAsItIs() throws IOException {
    Frame header = properties(Map.of("a", 1)).toFrame(7, BODY);
    Frame body = new Frame(AMQP.FRAME_BODY, 7, new byte[] {1});

    assertThat(ReadableHeader.of(header)).isSameAs(header);
    assertThat(ReadableHeader.of(body)).isSameAs(body);
  }

  @Test
  void onlyTheHeadersAreLeftOut() throws IOException {
    Object deep = "bottom";
    for (int i = 0; i < 40; i++) {
      deep = i % 2 == 0 ? Map.of("n", deep) : List.of(deep);
    }
    Frame header = properties(Map.of("bomb", deep, "good", "x")).toFrame(7, BODY);

    Frame readable = ReadableHeader.of(header);

    BasicProperties read = read(readable);
    assertThat(readable.getChannel()).isEqualTo(7);
    assertThat(read.getBodySize()).isEqualTo(BODY);
    assertThat(read.getContentType()).isEqualTo("text/plain");
    assertThat(read.getContentEncoding()).isEqualTo("utf-8");
    assertThat(read.getDeliveryMode()).isEqualTo(2);
    assertThat(read.getMessageId()).isEqualTo("id-1");
    assertThat(read.getType()).isEqualTo("order.placed");
    assertThat(String.valueOf(read.getHeaders().get(CloudEvent.UNREADABLE))).contains("nested");
    byte[] table = (byte[]) read.getHeaders().get(CloudEvent.UNREADABLE_TABLE);
    assertThat(table).isNotNull();
    assertThat(new String(table, UTF_8)).contains("bomb", "good", "bottom");
  }

  @Test
  void aValueOfAnUnknownTypeIsLeftOutToo() throws IOException {
    byte[] payload = properties(Map.of("a", "marker")).toFrame(7, BODY).getPayload();
    int type = new String(payload, ISO_8859_1).indexOf("marker") - 5;
    payload[type] = 'Z';

    BasicProperties read = read(ReadableHeader.of(new Frame(AMQP.FRAME_HEADER, 7, payload)));

    assertThat(read.getMessageId()).isEqualTo("id-1");
    assertThat(read.getHeaders()).containsKey(CloudEvent.UNREADABLE);
  }

  @Test
  void whateverIsWrongTheResultCanBeReadAndKeepsTheBodysSize() throws IOException {
    Random random = new Random(4);
    byte[] good =
        properties(Map.of("a", "b", "n", Map.of("x", List.of(1, 2L, "three"))))
            .toFrame(7, BODY)
            .getPayload();
    int mended = 0;
    int known = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] payload = good.clone();
      for (int j = 0; j <= random.nextInt(4); j++) {
        payload[12 + random.nextInt(payload.length - 12)] = (byte) random.nextInt();
      }
      int left = i % 2 == 0 ? payload.length : 14 + random.nextInt(payload.length - 13);
      byte[] cut = Arrays.copyOf(payload, left);
      BasicProperties read = read(ReadableHeader.of(new Frame(AMQP.FRAME_HEADER, 7, cut)));
      assertThat(read.getBodySize()).isEqualTo(ByteBuffer.wrap(cut).getLong(4));
      Map<String, Object> headers = read.getHeaders();
      boolean changed = headers != null && headers.containsKey(CloudEvent.UNREADABLE);
      mended += changed ? 1 : 0;
      known += changed && "id-1".equals(read.getMessageId()) ? 1 : 0;
    }
    assertThat(mended).isGreaterThan(5_000);
    assertThat(known).as("those that still have their id").isGreaterThan(500);
  }

  private static BasicProperties properties(Map<String, Object> headers) {
    return new BasicProperties.Builder()
        .contentType("text/plain")
        .contentEncoding("utf-8")
        .headers(new HashMap<>(headers))
        .deliveryMode(2)
        .messageId("id-1")
        .type("order.placed")
        .build();
  }

  private static BasicProperties read(Frame frame) throws IOException {
    return (BasicProperties)
        AMQImpl.readContentHeaderFrom(
            new DataInputStream(new ByteArrayInputStream(frame.getPayload())));
  }
}
