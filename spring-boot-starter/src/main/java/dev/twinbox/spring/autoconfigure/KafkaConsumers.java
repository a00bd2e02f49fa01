package dev.twinbox.spring.autoconfigure;

import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.kafka.consumer.KafkaInboxConsumer;
import dev.twinbox.spring.ConsumerSource;
import dev.twinbox.spring.ListenerConsumer;
import java.util.List;
import java.util.Set;

/** Consumers of Kafka: one for all topics of a consumer, in the group of its name. */
final class KafkaConsumers implements ConsumerSource {
  private final KafkaClients clients;
  private final TwinboxProperties properties;

  KafkaConsumers(KafkaClients clients, TwinboxProperties properties) {
    this.clients = clients;
    this.properties = properties;
  }

  @Override
  public String broker() {
    return "kafka";
  }

  @Override
  public List<ListenerConsumer> consumers(Inbox inbox, Handler handler, Set<String> topics) {
    KafkaInboxConsumer.Builder builder =
        KafkaInboxConsumer.builder()
            .receiver(inbox.receiver(handler))
            .topics(topics.toArray(String[]::new))
            .properties(clients.consumer())
            .property("group.id", inbox.consumer())
            .concurrency(properties.inbox().concurrency())
            .closeLimit(properties.inbox().closeLimit());
    if (properties.development()) {
      builder.development();
    }
    return List.of(new Running(builder.build()));
  }

  private record Running(KafkaInboxConsumer consumer) implements ListenerConsumer {
    @Override
    public void start() {
      consumer.start();
    }

    @Override
    public void close() {
      consumer.close();
    }
  }
}
