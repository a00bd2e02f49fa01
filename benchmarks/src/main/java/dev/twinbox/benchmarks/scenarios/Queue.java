package dev.twinbox.benchmarks.scenarios;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;

/** A quorum queue for one measurement. */
final class Queue implements AutoCloseable {
  private final TestRabbit rabbit;
  private final String name = "bench-" + UUID.randomUUID();

  Queue(TestRabbit rabbit) throws IOException, TimeoutException {
    this.rabbit = rabbit;
    with(c -> c.queueDeclare(name, true, false, false, Map.of("x-queue-type", "quorum")));
  }

  private interface Step {
    void run(Channel channel) throws IOException;
  }

  String destination() {
    return "rabbitmq:/" + name;
  }

  /** So that no side meets a queue that another one has filled. */
  void purge() throws IOException, TimeoutException {
    with(c -> c.queuePurge(name));
  }

  @Override
  public void close() throws IOException, TimeoutException {
    with(c -> c.queueDelete(name));
  }

  private void with(Step step) throws IOException, TimeoutException {
    try (Connection connection = rabbit.connectionFactory().newConnection();
        Channel channel = connection.createChannel()) {
      step.run(channel);
    }
  }
}
