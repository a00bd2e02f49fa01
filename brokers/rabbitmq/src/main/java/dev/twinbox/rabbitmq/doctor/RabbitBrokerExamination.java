package dev.twinbox.rabbitmq.doctor;

import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.Hosts;
import dev.twinbox.rabbitmq.RabbitRoute;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A RabbitMQ virtual host, with the settings that the relay has for it. For one thread. */
public final class RabbitBrokerExamination implements BrokerExamination {
  private final String name;
  private final ConnectionFactory factory;
  private final RabbitExamination vhost;

  /**
   * No connection is made yet.
   *
   * @param name the broker's, as in {@code rabbitmq@eu}
   * @param managementUri where the management plugin answers, or null when that was not said
   */
  public RabbitBrokerExamination(
      String name, ConnectionFactory factory, @Nullable String managementUri) {
    this.name = name;
    this.factory = factory;
    vhost =
        new RabbitExamination(
            name,
            RabbitManagement.atOrNull(
                managementUri,
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
              CommonCheck.CONNECTION_IN_CLEAR,
              name,
              "no TLS to " + factory.getHost(),
              "Use amqps: in the address."));
    }
    return findings;
  }

  @Override
  public List<Finding> destination(String destination, boolean keyless) {
    RabbitRoute route = RabbitRoute.at(name, destination);
    // The publisher says what it thinks of what is none.
    return route == null ? List.of() : vhost.destination(route.exchange(), route.routingKey());
  }

  /** Whether every queue that such a message reaches dead-letters what expires in it. */
  public boolean deadLettersWhatExpires(RabbitRoute route) {
    return vhost.deadLettersWhatExpires(route.exchange(), route.routingKey());
  }

  @Override
  public List<Finding> consumed(String queue, Collection<String> topics, Duration horizon) {
    return vhost.queue(queue);
  }

  @Override
  public void close() {}
}
