package dev.twinbox.relay.doctor;

import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.inbox.doctor.rabbitmq.RabbitExamination;
import dev.twinbox.inbox.doctor.rabbitmq.RabbitManagement;
import dev.twinbox.outbox.Destination;
import dev.twinbox.outbox.InvalidMessageException;
import dev.twinbox.outbox.RabbitDestination;
import dev.twinbox.relay.rabbitmq.RabbitBroker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** A RabbitMQ virtual host, with the settings that the relay has for it. */
final class RabbitBrokerExamination implements BrokerExamination {
  private final String name;
  private final ConnectionFactory factory;
  private final RabbitExamination vhost;

  RabbitBrokerExamination(RabbitBroker broker) {
    name = broker.name();
    factory = broker.connectionFactory();
    vhost =
        new RabbitExamination(
            name,
            RabbitManagement.atOrNull(
                broker.managementUri(),
                factory.getUsername(),
                factory.getPassword(),
                factory.getVirtualHost()));
  }

  @Override
  public List<Finding> broker() {
    List<Finding> findings = new ArrayList<>(vhost.node());
    if (!factory.isSSL() && !Hosts.isLocal(factory.getHost())) {
      findings.add(
          Finding.warning(
              Check.CONNECTION_IN_CLEAR,
              name,
              "no TLS to " + factory.getHost(),
              "Use amqps: in the address."));
    }
    return findings;
  }

  @Override
  public List<Finding> destination(String destination, boolean keyless) {
    try {
      if (Destination.parse(destination) instanceof RabbitDestination rabbit) {
        return vhost.destination(rabbit.exchange(), rabbit.routingKey());
      }
    } catch (InvalidMessageException e) {
      // The publisher says what it thinks of it.
    }
    return List.of();
  }

  /** Whether every queue that such a message reaches dead-letters what expires in it. */
  boolean deadLettersWhatExpires(RabbitDestination destination) {
    return vhost.deadLettersWhatExpires(destination.exchange(), destination.routingKey());
  }

  @Override
  public List<Finding> consumed(String queue, Collection<String> topics, Duration horizon) {
    return vhost.queue(queue);
  }

  @Override
  public void close() {}
}
