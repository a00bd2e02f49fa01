package dev.twinbox.spring.autoconfigure;

import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.rabbitmq.consumer.RabbitInboxConsumer;
import dev.twinbox.spring.ConsumerSource;
import dev.twinbox.spring.ListenerConsumer;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.core.AmqpAdmin;

/** Consumers of RabbitMQ: one a queue, which the application's admin beans have declared before. */
final class RabbitConsumers implements ConsumerSource {
  private static final Logger log = LoggerFactory.getLogger(RabbitConsumers.class);

  private final RabbitClients clients;
  private final TwinboxProperties properties;
  private final List<AmqpAdmin> admins;

  RabbitConsumers(RabbitClients clients, TwinboxProperties properties, List<AmqpAdmin> admins) {
    this.clients = clients;
    this.properties = properties;
    this.admins = admins;
  }

  @Override
  public String broker() {
    return "rabbitmq";
  }

  @Override
  public List<ListenerConsumer> consumers(Inbox inbox, Handler handler, Set<String> queues) {
    declare();
    return queues.stream().map(queue -> consumer(inbox, handler, queue)).toList();
  }

  /** Spring declares at the first connection of its own, of which there need be none. */
  private void declare() {
    for (AmqpAdmin admin : admins) {
      try {
        admin.initialize();
      } catch (RuntimeException e) {
        log.warn("Exchanges and queues were not declared yet: {}", e.getMessage());
      }
    }
  }

  private ListenerConsumer consumer(Inbox inbox, Handler handler, String queue) {
    RabbitInboxConsumer.Builder builder =
        RabbitInboxConsumer.builder()
            .receiver(inbox.receiver(handler))
            .queue(queue)
            .connectionFactory(clients.factory())
            .addresses(clients.addresses())
            .concurrency(properties.inbox().concurrency())
            .closeLimit(properties.inbox().closeLimit());
    String management = clients.management();
    if (management != null) {
      builder.management(management);
    }
    if (properties.development()) {
      builder.development();
    }
    return new Running(builder.build());
  }

  private record Running(RabbitInboxConsumer consumer) implements ListenerConsumer {
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
