package dev.twinbox.examples.demo;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.impl.AbstractMetricsCollector;
import java.util.concurrent.atomic.AtomicLong;

/** Has the RabbitMQ client count the deliveries that were acknowledged on its connections. */
final class AcknowledgedDeliveries extends AbstractMetricsCollector {
  private final AtomicLong count = new AtomicLong();

  long count() {
    return count.get();
  }

  @Override
  protected void markAcknowledgedMessage() {
    count.incrementAndGet();
  }

  @Override
  protected void incrementConnectionCount(Connection connection) {}

  @Override
  protected void decrementConnectionCount(Connection connection) {}

  @Override
  protected void incrementChannelCount(Channel channel) {}

  @Override
  protected void decrementChannelCount(Channel channel) {}

  @Override
  protected void markPublishedMessage() {}

  @Override
  protected void markMessagePublishFailed() {}

  @Override
  protected void markConsumedMessage() {}

  @Override
  protected void markRejectedMessage() {}

  @Override
  protected void markMessagePublishAcknowledged() {}

  @Override
  protected void markMessagePublishNotAcknowledged() {}

  @Override
  protected void markPublishedMessageUnrouted() {}
}
