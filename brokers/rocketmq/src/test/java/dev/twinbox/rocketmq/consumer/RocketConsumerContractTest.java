package dev.twinbox.rocketmq.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.contract.ConsumerContract;
import dev.twinbox.contract.ConsumerSetup;
import dev.twinbox.contract.SentMessage;
import dev.twinbox.contract.SourceUnderTest;
import dev.twinbox.inbox.Delivery;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

class RocketConsumerContractTest extends ConsumerContract {
  @Override
  protected SourceUnderTest newSource() {
    return new Topic();
  }

  private static final class Topic implements SourceUnderTest {
    private final RocketTestTopic topic = new RocketTestTopic(3);
    private long sent;

    @Override
    public void send(SentMessage message) {
      Map<String, String> properties = new HashMap<>();
      if (message.id() != null) {
        properties.put("CE_id", message.id());
      }
      String key = message.key();
      if (key != null) {
        properties.put("CE_partitionkey", key);
      }
      topic.send(key == null ? "" : key, properties, "x".getBytes(UTF_8));
      sent++;
    }

    @Override
    public AutoCloseable consume(ConsumerSetup setup) {
      return RocketInboxConsumer.builder()
          .development()
          .receiver(setup.receiver())
          .topics(topic.name())
          .nameServers(topic.rocket().nameServer())
          .group(topic.name())
          .batchSize(setup.batchSize())
          .closeLimit(setup.closeLimit())
          .build()
          .start();
    }

    @Override
    public List<Delivery> takeWithoutSettling(int count) {
      return topic.rocket().read(topic.name()).stream()
          .limit(count)
          .map(message -> RocketDeliveries.delivery(message, false))
          .toList();
    }

    @Override
    public void disturb() {
      topic.rocket().brokerProxy(0).cut();
    }

    @Override
    public long unsettled() {
      return sent - topic.committed();
    }

    @Override
    public void close() {
      topic.close();
    }
  }
}
