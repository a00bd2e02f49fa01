package dev.twinbox.spring.autoconfigure;

import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.RelayBuilder;
import dev.twinbox.spring.BrokerSource;
import dev.twinbox.spring.RelayCustomizer;
import dev.twinbox.spring.lifecycle.KeepAlive;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * The relay as a part of the service's life: begins after the tables are there, ends after web
 * server and listeners, who may still enqueue, and before the connections are closed. Thread-safe.
 */
public final class RelayLifecycle implements SmartLifecycle {
  /** Below the web server and listeners, which therefore stop first. */
  public static final int PHASE = DEFAULT_PHASE - 4096;

  private static final Logger log = LoggerFactory.getLogger(RelayLifecycle.class);

  private final RelayConnections connections;
  private final Outbox outbox;
  private final List<BrokerSource> brokers;
  private final TwinboxProperties properties;
  private final ApplicationName application;
  private final List<RelayCustomizer> customizers;
  private final KeepAlive keepAlive = new KeepAlive("twinbox-relay-keep-alive");
  private volatile @Nullable Relay relay;

  RelayLifecycle(
      RelayConnections connections,
      Outbox outbox,
      List<BrokerSource> brokers,
      TwinboxProperties properties,
      ApplicationName application,
      List<RelayCustomizer> customizers) {
    this.connections = connections;
    this.outbox = outbox;
    this.brokers = brokers;
    this.properties = properties;
    this.application = application;
    this.customizers = customizers;
  }

  /** The relay while it runs, else null. */
  public @Nullable Relay relay() {
    return relay;
  }

  /** What keeps the relay from working; none where nothing is to be relayed. */
  List<String> problems() {
    Relay running = relay;
    if (running != null) {
      return running.health().problems();
    }
    return brokers.isEmpty() ? List.of() : List.of("The relay is not running.");
  }

  @Override
  public synchronized void start() {
    if (relay != null) {
      return;
    }
    if (brokers.isEmpty()) {
      log.info(
          "Nothing is relayed by this service: it knows no broker. Add Spring Boot's Kafka or"
              + " RabbitMQ, or set twinbox.brokers.");
      return;
    }
    Relay starting = builder().build();
    try {
      starting.start();
    } catch (RuntimeException | Error e) {
      starting.close();
      connections.close();
      throw e;
    }
    relay = starting;
    keepAlive.begin();
  }

  private RelayBuilder builder() {
    TwinboxProperties.RelaySettings settings = properties.relay();
    RelayBuilder builder =
        Relay.builder()
            .dataSource(connections.open())
            .schema(properties.schema())
            .outbox(outbox)
            .settings(settings.drain())
            .rateLimits(settings.limits());
    String name = settings.name() != null ? settings.name() : application.name();
    if (name != null) {
      builder.name(name);
    }
    if (properties.development()) {
      builder.development();
    }
    brokers.forEach(source -> builder.broker(source.open()));
    customizers.forEach(customizer -> customizer.customize(builder));
    return builder;
  }

  @Override
  public synchronized void stop() {
    Relay running = relay;
    relay = null;
    keepAlive.end();
    if (running != null) {
      running.close();
      connections.close();
    }
  }

  @Override
  public boolean isRunning() {
    return relay != null;
  }

  @Override
  public int getPhase() {
    return PHASE;
  }
}
