package dev.twinbox.benchmarks.sides;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Rfc3339;
import java.io.IOException;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;

/** Publishes what the relay publishes, property by property, on somebody else's channel. */
final class RabbitOut {
  private static final int PERSISTENT = 2;

  private RabbitOut() {}

  static void publish(Channel channel, OutboxRecord record, long number) throws IOException {
    String address = record.destination().substring(record.destination().indexOf(':') + 1);
    int slash = address.indexOf('/');
    channel.basicPublish(
        address.substring(0, slash),
        address.substring(slash + 1),
        true,
        properties(record, number),
        record.payload());
  }

  private static BasicProperties properties(OutboxRecord record, long number) {
    Map<String, Object> headers = new HashMap<>();
    for (OutboxRecord.Header header : record.headers()) {
      headers.put("cloudEvents_" + header.name().substring("ce_".length()), header.value());
    }
    headers.put("cloudEvents_specversion", "1.0");
    headers.put("cloudEvents_id", record.id().toString());
    headers.put("cloudEvents_type", record.type());
    headers.put("cloudEvents_time", Rfc3339.micros(record.createdAt()));
    headers.put("cloudEvents_destination", record.destination());
    if (record.key() != null) {
      headers.put("cloudEvents_partitionkey", record.key());
    }
    headers.put("twinbox-publish", number);
    return new BasicProperties.Builder()
        .messageId(record.id().toString())
        .type(record.type())
        .contentType(record.contentType())
        .timestamp(Date.from(record.createdAt()))
        .deliveryMode(PERSISTENT)
        .headers(headers)
        .build();
  }
}
