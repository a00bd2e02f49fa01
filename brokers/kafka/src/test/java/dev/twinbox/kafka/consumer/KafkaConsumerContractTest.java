package dev.twinbox.kafka.consumer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import dev.twinbox.contract.ConsumerContract;
import dev.twinbox.contract.ConsumerSetup;
import dev.twinbox.contract.SentMessage;
import dev.twinbox.contract.SourceUnderTest;
import dev.twinbox.inbox.Delivery;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

class KafkaConsumerContractTest extends ConsumerContract {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Override
  protected SourceUnderTest newSource() {
    return new Topic();
  }

  private static final class Topic implements SourceUnderTest {
    private static final int PARTITIONS = 3;

    private final KafkaTestTopic topic = new KafkaTestTopic(PARTITIONS);
    private long sent;

    @Override
    public void send(SentMessage message) {
      String id = message.id();
      String key = message.key();
      int partition = key == null ? 0 : Math.floorMod(key.hashCode(), PARTITIONS);
      topic.send(partition, key, id == null ? Map.of() : Map.of("ce_id", id), "x".getBytes(UTF_8));
      sent++;
    }

    @Override
    public AutoCloseable consume(ConsumerSetup setup) {
      return KafkaInboxConsumer.builder()
          .development()
          .receiver(setup.receiver())
          .topics(topic.name())
          .properties(topic.consumerProperties("classic"))
          .batchSize(setup.batchSize())
          .closeLimit(setup.closeLimit())
          .build()
          .start();
    }

    @Override
    public List<Delivery> takeWithoutSettling(int count) {
      List<Delivery> taken = new ArrayList<>();
      try (KafkaConsumer<byte[], byte[]> dead = member()) {
        await()
            .atMost(PATIENCE)
            .until(
                () -> {
                  dead.poll(Duration.ofMillis(100))
                      .forEach(record -> taken.add(KafkaDeliveries.delivery(record, false)));
                  return taken.size() >= count;
                });
      }
      return taken;
    }

    /** Another member joins, has partitions for a moment, and leaves. */
    @Override
    public void disturb() {
      try (KafkaConsumer<byte[], byte[]> intruder = member()) {
        await()
            .atMost(PATIENCE)
            .until(
                () -> {
                  intruder.poll(Duration.ofMillis(100));
                  return !intruder.assignment().isEmpty();
                });
      }
    }

    @Override
    public long unsettled() {
      long committed = 0;
      for (int i = 0; i < PARTITIONS; i++) {
        committed += Math.max(0, topic.committed(i));
      }
      return sent - committed;
    }

    @Override
    public void close() {
      topic.close();
    }

    private KafkaConsumer<byte[], byte[]> member() {
      Map<String, Object> properties = topic.consumerProperties("classic");
      properties.put("auto.offset.reset", "earliest");
      properties.put("enable.auto.commit", "false");
      KafkaConsumer<byte[], byte[]> member =
          new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
      member.subscribe(List.of(topic.name()));
      return member;
    }
  }
}
