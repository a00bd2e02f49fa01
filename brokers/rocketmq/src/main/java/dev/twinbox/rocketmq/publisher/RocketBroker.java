package dev.twinbox.rocketmq.publisher;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.SourceLag;
import dev.twinbox.broker.Supervision;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.rocketmq.doctor.RocketBrokerExamination;
import dev.twinbox.rocketmq.doctor.RocketLag;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.jspecify.annotations.Nullable;

/**
 * A RocketMQ cluster to publish to. Thread-safe.
 *
 * <p>All publishers share one client, with a connection to each master. A message counts as
 * published when the broker has answered {@code SEND_OK}: it is on as many disks as the broker is
 * set up to wait for. The client's own retries are off.
 */
public final class RocketBroker implements Broker {
  private static final Duration TICK = Duration.ofMillis(50);
  private static final AtomicLong COUNTER = new AtomicLong();

  private final String name;
  private final RocketSettings settings;
  private final Duration confirmTimeout;
  private final Duration lookTimeout;
  private final Set<RocketPublisher> open = ConcurrentHashMap.newKeySet();
  private final Map<String, Set<String>> mastersSeen = new ConcurrentHashMap<>();
  private final ScheduledExecutorService clock;
  private @Nullable RocketClient client;

  private RocketBroker(Builder builder) {
    name = builder.name;
    settings = builder.settings();
    confirmTimeout = builder.confirmTimeout;
    lookTimeout = builder.lookTimeout;
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
   * @param name {@code rocketmq}, or {@code rocketmq@eu} for one among several
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
    RocketPublisher publisher = new RocketPublisher(this, usedClient(), lane);
    open.add(publisher);
    if (!Supervision.start("twinbox-" + name + "-lane-" + lane, publisher::write)) {
      publisher.hasNoWriter();
    }
    return publisher;
  }

  private synchronized RocketClient usedClient() {
    RocketClient present = client;
    if (present == null || !present.use()) {
      present =
          new RocketClient(settings, instance("relay"), confirmTimeout.toMillis(), mastersSeen);
      present.use();
      client = present;
    }
    return present;
  }

  @Override
  public BrokerExamination examine() {
    try {
      return new RocketBrokerExamination(name, settings.producer(instance("doctor")));
    } catch (IllegalArgumentException e) {
      return new BrokerExamination.Unreadable(name, String.valueOf(e.getMessage()));
    }
  }

  @Override
  public List<SourceLag> lag(String group, List<String> topics) {
    return RocketLag.read(name, settings.producer(instance("status")), group, topics);
  }

  /** A name that no other client of this JVM has: clients of one name share their connections. */
  private String instance(String purpose) {
    return "twinbox-%s-%s-%s".formatted(name, purpose, COUNTER.incrementAndGet());
  }

  @Override
  public void close() {
    open.forEach(RocketPublisher::close);
    clock.shutdownNow();
    synchronized (this) {
      if (client != null) {
        client.retire();
      }
    }
  }

  Duration confirmTimeout() {
    return confirmTimeout;
  }

  Duration lookTimeout() {
    return lookTimeout;
  }

  void closed(RocketPublisher publisher, RocketClient itsClient) {
    open.remove(publisher);
    itsClient.leave();
  }

  private static Thread daemon(String threadName, Runnable work) {
    Thread thread = new Thread(work, threadName);
    thread.setDaemon(true);
    return thread;
  }

  private void tick() {
    Supervision.retry();
    long now = System.nanoTime();
    for (RocketPublisher publisher : open) {
      try {
        publisher.tick(now);
      } catch (Throwable e) {
        // Half a look may leave it in a state in which nothing is ever given up.
        Supervision.run("giving up a publisher of " + name, () -> publisher.fail(e));
      }
    }
  }

  /** Settings of a {@link RocketBroker}. Not thread-safe. */
  public static final class Builder {
    private final String name;
    private Supplier<Map<String, String>> properties = Map::of;
    private Consumer<DefaultMQProducer> customizer = producer -> {};
    private Duration confirmTimeout = Duration.ofSeconds(30);
    private Duration lookTimeout = Duration.ofSeconds(5);

    private Builder(String name) {
      if (!name.equals("rocketmq") && !name.startsWith("rocketmq@")) {
        throw new IllegalArgumentException(
            "Broker '%s' is not RocketMQ: name it 'rocketmq' or 'rocketmq@name'.".formatted(name));
      }
      this.name = name;
    }

    /** Where the name servers are: {@code host:port;host:port}. */
    public Builder nameServers(String addresses) {
      return properties(Map.of("namesrv.addr", addresses));
    }

    /**
     * The settings of RocketMQ's {@code DefaultMQProducer}, by its own names or with dots in them:
     * {@code namesrv.addr} or {@code namesrvAddr}, {@code use.tls}, {@code max.message.size} and so
     * on; {@code producer.group}, by default {@code twinbox}; and {@code access.key} with {@code
     * secret.key} where the broker asks for them. Messages are not compressed unless {@code
     * compress.msg.body.over.howmuch} says so.
     */
    public Builder properties(Map<String, String> properties) {
      Map<String, String> copy = Map.copyOf(properties);
      return properties(() -> copy);
    }

    /**
     * The same, asked for at each new client: one is made at the start, and after a message has
     * waited in vain.
     */
    public Builder properties(Supplier<Map<String, String>> properties) {
      this.properties = properties;
      return this;
    }

    /** The last word on each producer before it starts. */
    public Builder configure(Consumer<DefaultMQProducer> customizer) {
      this.customizer = customizer;
      return this;
    }

    /**
     * How long the broker may leave a message unanswered before the publisher gives up; default 30
     * seconds.
     */
    public Builder confirmTimeout(Duration timeout) {
      this.confirmTimeout = positive("confirmTimeout", timeout);
      return this;
    }

    /**
     * How long the name server may leave a topic unanswered before it counts as unreachable;
     * default 5 seconds.
     */
    public Builder lookTimeout(Duration timeout) {
      this.lookTimeout = positive("lookTimeout", timeout);
      return this;
    }

    /**
     * The broker. No connection is made yet.
     *
     * @throws IllegalArgumentException if a setting would break a guarantee
     */
    public RocketBroker build() {
      var unused = settings().producer("twinbox-check");
      return new RocketBroker(this);
    }

    private RocketSettings settings() {
      return new RocketSettings(name, properties, customizer);
    }

    private static Duration positive(String what, Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException(what + " must be positive, not " + timeout);
      }
      return timeout;
    }
  }
}
