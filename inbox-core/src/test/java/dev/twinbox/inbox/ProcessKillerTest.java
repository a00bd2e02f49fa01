package dev.twinbox.inbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A message at which the consumer's process dies, each time, among harmless ones. */
class ProcessKillerTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  // Its attempts; the first delivery and the first redelivery, both together with its batch, which
  // are held against nobody; and the one that gives it up.
  private static final int MOST_PROCESSES = ConsumerProcess.ATTEMPTS + 3;

  private final InboxDatabase database = InboxDatabase.create();
  private final String name = "killer-" + Messages.id();
  private final String killer = Messages.id();
  private final List<String> ids = List.of(Messages.id(), killer, Messages.id(), Messages.id());

  @TempDir private Path folder = Path.of(".");

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aKafkaRecordThatKillsItsProcessIsQuarantinedAfterItsAttempts() throws Exception {
    TestKafka kafka = TestKafka.shared();
    kafka.createTopic(name, 1);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (String id : ids) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(name, 0, null, new byte[0]);
        record.headers().add("ce_id", id.getBytes(UTF_8));
        producer.send(record).get();
      }
    }

    dieUntilQuarantined("kafka", kafka.bootstrapServers());
  }

  @Test
  void aRabbitMessageThatKillsItsProcessIsQuarantinedAfterItsAttempts() throws Exception {
    TestRabbit rabbit = TestRabbit.shared();
    try (Connection connection = rabbit.connectionFactory().newConnection();
        Channel channel = connection.createChannel()) {
      channel.queueDeclare(name, true, false, false, Map.of());
      for (String id : ids) {
        channel.basicPublish(
            "", name, new BasicProperties.Builder().messageId(id).build(), new byte[0]);
      }

      dieUntilQuarantined("rabbitmq", rabbit.uri().toString());

      channel.queueDelete(name);
    }
  }

  private void dieUntilQuarantined(String broker, String address)
      throws IOException, InterruptedException {
    int deaths = 0;
    for (int process = 1; process <= MOST_PROCESSES; process++) {
      Process consumer = ConsumerProcess.start(folder, database, broker, address, name, killer);
      try {
        await()
            .atMost(PATIENCE)
            .until(() -> !consumer.isAlive() || database.effects().size() == ids.size() - 1);
        if (consumer.isAlive()) {
          break;
        }
        assertThat(consumer.exitValue()).isEqualTo(ConsumerProcess.KILLED);
        deaths++;
      } finally {
        consumer.destroyForcibly().waitFor();
      }
    }

    assertThat(deaths).isBetween(ConsumerProcess.ATTEMPTS, MOST_PROCESSES - 1);
    assertThat(database.quarantined()).containsExactly("attempts-exhausted");
    assertThat(database.texts("select id from twinbox.inbox_dead_letter")).containsExactly(killer);
    assertThat(database.effects()).containsExactly(ids.get(0), ids.get(2), ids.get(3));
  }
}
