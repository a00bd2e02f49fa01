package dev.twinbox.rabbitmq.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import dev.twinbox.contract.ConsumerContract;
import dev.twinbox.contract.ConsumerSetup;
import dev.twinbox.contract.SentMessage;
import dev.twinbox.contract.SourceUnderTest;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

class RabbitConsumerContractTest extends ConsumerContract {
  @Override
  protected SourceUnderTest newSource() {
    return new Queue();
  }

  /** Consumers connect by way of a proxy, which can cut them off. */
  private static final class Queue implements SourceUnderTest {
    private final TestRabbit rabbit = TestRabbit.shared();
    private final TestQueue queue = new TestQueue();
    private final FaultProxy proxy = FaultProxy.to(rabbit.host(), rabbit.port());

    @Override
    public void send(SentMessage message) {
      String id = message.id();
      if (id == null) {
        queue.send(new BasicProperties.Builder().build(), "x".getBytes(UTF_8));
      } else {
        queue.send(message.key(), id);
      }
    }

    @Override
    public AutoCloseable consume(ConsumerSetup setup) {
      ConnectionFactory through = rabbit.connectionFactory();
      through.setHost("127.0.0.1");
      through.setPort(proxy.port());
      return RabbitInboxConsumer.builder()
          .development()
          .receiver(setup.receiver())
          .queue(queue.name())
          .connectionFactory(through)
          .batchSize(setup.batchSize())
          .closeLimit(setup.closeLimit())
          .build()
          .start();
    }

    @Override
    public List<Delivery> takeWithoutSettling(int count) {
      List<Delivery> taken = new ArrayList<>();
      try {
        Channel dying = queue.newChannel();
        for (int i = 0; i < count; i++) {
          GetResponse response = TestQueue.take(dying, queue.name());
          taken.add(
              RabbitDeliveries.delivery(
                  queue.name(), response.getEnvelope(), response.getProps(), response.getBody()));
        }
        dying.abort();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return taken;
    }

    @Override
    public void disturb() {
      proxy.cut();
    }

    /** By taking them: what the broker counts lags behind. */
    @Override
    public long unsettled() {
      try {
        Channel channel = queue.newChannel();
        long count = 0;
        while (channel.basicGet(queue.name(), /* autoAck= */ false) != null) {
          count++;
        }
        channel.close(); // gives them back
        return count;
      } catch (IOException | TimeoutException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() {
      proxy.close();
      try {
        queue.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
