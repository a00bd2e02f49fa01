package dev.twinbox.rabbitmq.publisher;

import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.broker.Broker;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.SourceLag;
import dev.twinbox.broker.Supervision;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.rabbitmq.RabbitRoute;
import dev.twinbox.rabbitmq.doctor.QueueDepth;
import dev.twinbox.rabbitmq.doctor.RabbitBrokerExamination;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A RabbitMQ node or cluster to publish to. Thread-safe.
 *
 * <p>Each publisher has a connection of its own, with one channel in confirm mode; messages are
 * persistent and mandatory. Automatic recovery is off: a lost connection makes everything on it
 * unknown, and the relay publishes it again.
 */
public final class RabbitBroker implements Broker {
  private static final Duration TICK = Duration.ofMillis(50);

  private final String name;
  private final RabbitSettings settings;
  private final Duration confirmTimeout;
  private final Duration blockedTimeout;
  private final boolean setsExpiration;
  private final Set<RabbitPublisher> open = ConcurrentHashMap.newKeySet();
  private final Map<Integer, Integer> suspects = new ConcurrentHashMap<>();
  private final ScheduledExecutorService clock;
  private volatile Predicate<RabbitRoute> deadLettered = any -> false;

  private RabbitBroker(Builder builder) {
    name = builder.name;
    settings = builder.settings();
    confirmTimeout = builder.confirmTimeout;
    blockedTimeout = builder.blockedTimeout;
    setsExpiration = builder.setExpiration || Boolean.parseBoolean(settings.property("expiration"));
    clock =
        Executors.newSingleThreadScheduledExecutor(
            work -> daemon("twinbox-" + name + "-clock", work));
    var unused =
        clock.scheduleWithFixedDelay(
            Supervision.repeated("the clock of " + name, this::tick),
            TICK.toMillis(),
            TICK.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  /**
   * Begins a broker.
   *
   * @param name {@code rabbitmq}, or {@code rabbitmq@eu} for one among several
   */
  public static Builder named(String name) {
    return new Builder(name);
  }

  @Override
  public String name() {
    return name;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalStateException if the broker is closed
   */
  @Override
  public Publisher open(int lane) {
    if (clock.isShutdown()) {
      throw new IllegalStateException("Broker " + name + " is closed");
    }
    Integer suspect = suspects.remove(lane);
    RabbitPublisher publisher = new RabbitPublisher(this, lane, suspect == null ? 0 : suspect);
    open.add(publisher);
    if (!Supervision.start("twinbox-" + name + "-lane-" + lane, publisher::write)) {
      publisher.hasNoWriter();
    }
    return publisher;
  }

  @Override
  public BrokerExamination examine() {
    try {
      return examineVirtualHost();
    } catch (IllegalArgumentException e) {
      return new BrokerExamination.Unreadable(name, String.valueOf(e.getMessage()));
    }
  }

  /** Learns where messages may carry their expiry time, if they are to: see the builder. */
  @Override
  public void examineWhilePublishing() {
    if (setsExpiration) {
      deadLettered = new ExpirationRoutes(this);
    }
  }

  RabbitBrokerExamination examineVirtualHost() {
    return new RabbitBrokerExamination(name, connectionFactory(), managementUri());
  }

  @Override
  public List<SourceLag> lag(String queue, List<String> none) {
    return List.of(
        QueueDepth.read(name, connectionFactory(), settings.property("addresses"), queue));
  }

  @Override
  public void close() {
    open.forEach(RabbitPublisher::close);
    clock.shutdownNow();
  }

  /** A new factory by the settings as they are now, credentials included. */
  public ConnectionFactory connectionFactory() {
    return settings.factory();
  }

  /** Where the management plugin answers, or null when that was not said. */
  public @Nullable String managementUri() {
    return settings.managementUri();
  }

  /**
   * Says which destinations dead-letter what expires in their queues, for certain; until then none.
   * Asked at each message, on a publisher's thread: must answer from memory.
   */
  public void expirationWhere(Predicate<RabbitRoute> verified) {
    deadLettered = verified;
  }

  boolean mayExpire(@Nullable RabbitRoute route) {
    return setsExpiration && route != null && deadLettered.test(route);
  }

  RabbitSettings settings() {
    return settings;
  }

  Duration confirmTimeout() {
    return confirmTimeout;
  }

  Duration blockedTimeout() {
    return blockedTimeout;
  }

  void closed(RabbitPublisher publisher) {
    open.remove(publisher);
  }

  /** The lane's next publisher sends so many records one by one. */
  void suspect(int lane, int records) {
    suspects.put(lane, records);
  }

  private static Thread daemon(String threadName, Runnable work) {
    Thread thread = new Thread(work, threadName);
    thread.setDaemon(true);
    return thread;
  }

  private void tick() {
    Supervision.retry();
    long now = System.nanoTime();
    for (RabbitPublisher publisher : open) {
      try {
        publisher.tick(now);
      } catch (Throwable e) {
        // Half a look may leave it in a state in which nothing is ever given up.
        Supervision.run("giving up a publisher of " + name, () -> publisher.fail(e));
      }
    }
  }

  /** Settings of a {@link RabbitBroker}. Not thread-safe. */
  public static final class Builder {
    private final String name;
    private Supplier<Map<String, String>> properties = Map::of;
    private Consumer<ConnectionFactory> customizer = factory -> {};
    private Duration confirmTimeout = Duration.ofSeconds(30);
    private Duration blockedTimeout = Duration.ofSeconds(5);
    private boolean setExpiration;

    private Builder(String name) {
      if (!name.equals("rabbitmq") && !name.startsWith("rabbitmq@")) {
        throw new IllegalArgumentException(
            "Broker '%s' is not RabbitMQ: name it 'rabbitmq' or 'rabbitmq@name'.".formatted(name));
      }
      this.name = name;
    }

    /** Where it is: {@code amqp://user:password@host:port/vhost}, or {@code amqps:} for TLS. */
    public Builder uri(String uri) {
      return properties(Map.of("uri", uri));
    }

    /**
     * The settings of the RabbitMQ client, by the names of its {@code
     * ConnectionFactoryConfigurator} without prefix: {@code uri}, {@code host}, {@code port},
     * {@code username}, {@code password}, {@code virtual.host}, {@code ssl.enabled} and so on; and
     * {@code addresses}, as {@code host:port,host:port}, for a cluster; and {@code management.uri},
     * where the management plugin answers, as {@code http://host:15672}, without which the relay
     * cannot see whether exchanges and queues are safe. Certificates and host names are verified
     * unless a setting says otherwise.
     */
    public Builder properties(Map<String, String> properties) {
      Map<String, String> copy = Map.copyOf(properties);
      return properties(() -> copy);
    }

    /**
     * The same, asked for at each connection: after a change of credentials, the next connection
     * has the new ones.
     */
    public Builder properties(Supplier<Map<String, String>> properties) {
      this.properties = properties;
      return this;
    }

    /** The last word on each connection's factory, for example to set an SSL context. */
    public Builder configure(Consumer<ConnectionFactory> customizer) {
      this.customizer = customizer;
      return this;
    }

    /**
     * How long the broker may leave a message unconfirmed before the publisher gives up; default 30
     * seconds.
     */
    public Builder confirmTimeout(Duration timeout) {
      this.confirmTimeout = positive("confirmTimeout", timeout);
      return this;
    }

    /**
     * How long messages wait while the broker blocks publishers, before they count as undeliverable
     * for now; default 5 seconds.
     */
    public Builder blockedTimeout(Duration timeout) {
      this.blockedTimeout = positive("blockedTimeout", timeout);
      return this;
    }

    /**
     * Gives messages with an expiry time RabbitMQ's own {@code expiration}, so that they leave a
     * queue that nobody consumes. Only where {@code management.uri} has shown, within the last
     * minute, that every queue which the message reaches is a quorum queue that dead-letters at
     * least once, to a durable queue; elsewhere they carry none, and consumers judge them. Default:
     * off. The same as the property {@code expiration=true}.
     */
    public Builder setExpiration() {
      setExpiration = true;
      return this;
    }

    /**
     * The broker. No connection is made yet.
     *
     * @throws IllegalArgumentException if a setting would break a guarantee
     */
    public RabbitBroker build() {
      var unused = settings().factory();
      return new RabbitBroker(this);
    }

    private RabbitSettings settings() {
      return new RabbitSettings(name, properties, customizer);
    }

    private static Duration positive(String what, Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException(what + " must be positive, not " + timeout);
      }
      return timeout;
    }
  }
}
