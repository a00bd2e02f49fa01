package dev.twinbox.examples.snippets;

import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.metrics.InboxMetrics;
import dev.twinbox.kafka.consumer.KafkaInboxConsumer;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.kafka.publisher.KafkaTopology;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.rabbitmq.RabbitRoute;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.rabbitmq.publisher.RabbitTopology;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicies;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.metrics.RelayMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import javax.sql.DataSource;

/** Runs a relay. */
public final class Relaying {
  private Relaying() {}

  public static Relay insideAService(DataSource pool, Properties kafka, Outbox outbox) {
    // docs: relay-inside
    Relay relay =
        Relay.builder()
            .dataSource(pool)
            .broker(KafkaBroker.named("kafka").properties(kafka).build())
            .outbox(outbox)
            .build()
            .start();
    // docs: end
    return relay;
  }

  static void metrics(
      MeterRegistry registry, Relay relay, Inbox inbox, KafkaInboxConsumer consumer) {
    // docs: metrics
    RelayMetrics relayMetrics = new RelayMetrics(relay);
    relayMetrics.bindTo(registry);
    InboxMetrics inboxMetrics = new InboxMetrics(inbox, consumer);
    inboxMetrics.bindTo(registry);
    // docs: end
    inboxMetrics.close();
    relayMetrics.close();
  }

  static void asAWorker(DataSource pool, String rabbitUri) throws InterruptedException {
    // docs: relay-worker
    Relay relay =
        Relay.builder()
            .dataSource(pool)
            .broker(RabbitBroker.named("rabbitmq").uri(rabbitUri).build())
            .name("relay-1")
            .build();
    Runtime.getRuntime().addShutdownHook(new Thread(relay::close));
    relay.start();
    new CountDownLatch(1).await();
    // docs: end
  }

  static Relay withEverything(DataSource pool, Properties kafka, Map<String, String> rabbit) {
    // docs: relay-settings
    RetryPolicy patient =
        RetryPolicy.DEFAULTS
            .withMaxAttempts(20)
            .withGracePeriod(Duration.ofMinutes(10), RetryPolicy.AfterGrace.WAIT);
    RetryPolicy strict = RetryPolicy.DEFAULTS.withBlockKeyOnDeadLetter(true);
    RetryPolicies retries = RetryPolicies.all(patient).with("kafka:payments", strict);
    Relay relay =
        Relay.builder()
            .dataSource(pool)
            .schema("messaging")
            .broker(KafkaBroker.named("kafka").properties(kafka).build())
            .broker(RabbitBroker.named("rabbitmq@eu").properties(rabbit).build())
            .rateLimit("kafka:mail", 200)
            .settings(DrainSettings.DEFAULTS.withRetry(retries).withLease(Duration.ofSeconds(5)))
            .build();
    // docs: end
    return relay;
  }

  public static void createTopics(Properties kafka) {
    // docs: topics
    new KafkaTopology(4, 3, 2)
        .create(
            Map.of("bootstrap.servers", kafka.getProperty("bootstrap.servers")), List.of("orders"));
    // docs: end
  }

  static void declareQueues(ConnectionFactory rabbit) throws IOException, TimeoutException {
    // docs: queues
    RabbitTopology.ordered().declare(rabbit, new RabbitRoute("shop", "order.*"), "billing");
    // docs: end
  }
}
