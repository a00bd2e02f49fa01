package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.SourceLag;
import dev.twinbox.broker.Supervision;
import dev.twinbox.broker.doctor.BrokerExamination;
import dev.twinbox.kafka.doctor.ClientRefusal;
import dev.twinbox.kafka.doctor.KafkaBrokerExamination;
import dev.twinbox.kafka.doctor.KafkaLag;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;

/**
 * A Kafka cluster to publish to. Thread-safe.
 *
 * <p>Each publisher has a producer of its own, with {@code acks=all}, idempotence and retries
 * without end. All other settings of the Kafka client pass through.
 */
public final class KafkaBroker implements Broker {
  private final String name;
  private final Supplier<Map<String, ?>> settings;
  private final Duration metadataTimeout;
  private final Duration confirmTimeout;
  private final Set<KafkaPublisher> open = ConcurrentHashMap.newKeySet();
  private final KafkaClock clock;
  private final PublicationTime time = new PublicationTime();

  private KafkaBroker(Builder builder) {
    name = builder.name;
    settings = builder.settings;
    metadataTimeout = builder.metadataTimeout;
    confirmTimeout = builder.confirmTimeout;
    clock = new KafkaClock("twinbox-" + name + "-clock", this::tick);
  }

  /**
   * Begins a broker.
   *
   * @param name {@code kafka}, or {@code kafka@billing} for one among several
   */
  public static Builder named(String name) {
    return new Builder(name);
  }

  @Override
  public String name() {
    return name;
  }

  /** The user's settings as they are now, credentials included: for an admin client. */
  public Map<String, ?> clientSettings() {
    return Map.copyOf(settings.get());
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the settings, read anew, would break a guarantee
   * @throws IllegalStateException if the broker is closed
   */
  @Override
  public Publisher open(int lane) {
    if (clock.isClosed()) {
      throw new IllegalStateException("Broker " + name + " is closed");
    }
    Map<String, Object> complete = KafkaSettings.complete(name, lane, settings.get());
    KafkaLimits limits =
        new KafkaLimits(metadataTimeout, confirmTimeout, KafkaSettings.bufferMemory(complete) / 4);
    KafkaPublisher publisher =
        new KafkaPublisher(name, limits, time.choose(), clock::waken, open::remove);
    open.add(publisher);
    clock.waken();
    // Making a producer looks names up and reads key stores, so it may take its time.
    if (!Supervision.start("twinbox-kafka-open", () -> connect(publisher, complete))) {
      publisher.failedToOpen(
          new Outcome.Unavailable(Reason.OTHER, "no thread is left to make a Kafka client"));
    }
    return publisher;
  }

  @Override
  public void useClock(InstantSource better) {
    time.use(better);
  }

  @Override
  public BrokerExamination examine() {
    try {
      return new KafkaBrokerExamination(name, clientSettings());
    } catch (IllegalArgumentException e) {
      return new BrokerExamination.Unreadable(name, String.valueOf(e.getMessage()));
    }
  }

  @Override
  public List<SourceLag> lag(String group, List<String> topics) {
    return KafkaLag.read(name, clientSettings(), group, topics);
  }

  @Override
  public void close() {
    open.forEach(KafkaPublisher::close);
    clock.close();
  }

  private static void connect(KafkaPublisher publisher, Map<String, Object> settings) {
    try {
      Producer<byte[], byte[]> producer = new KafkaProducer<>(settings);
      publisher.opened(producer);
    } catch (Throwable e) {
      // Whatever it is: somebody waits for the client, or for word that there will be none.
      String detail = ClientRefusal.reason(e);
      // The client calls a name that cannot be resolved a mistake in its configuration.
      Reason reason = detail.contains("bootstrap") ? Reason.UNREACHABLE : Reason.OTHER;
      publisher.failedToOpen(new Outcome.Unavailable(reason, detail));
    }
  }

  private boolean tick() {
    Supervision.retry();
    long now = System.nanoTime();
    boolean waits = false;
    for (KafkaPublisher publisher : open) {
      try {
        waits |= publisher.tick(now);
      } catch (Throwable e) {
        // Half a look may leave it in a state in which nothing is ever given up.
        waits = true;
        Supervision.run("giving up a publisher of " + name, () -> publisher.fail(e));
      }
    }
    return waits;
  }

  /** Settings of a {@link KafkaBroker}. Not thread-safe. */
  public static final class Builder {
    private final String name;
    private Supplier<Map<String, ?>> settings = Map::of;
    private Duration metadataTimeout = Duration.ofSeconds(5);
    private Duration confirmTimeout = Duration.ofSeconds(30);

    private Builder(String name) {
      if (!name.equals("kafka") && !name.startsWith("kafka@")) {
        throw new IllegalArgumentException(
            "Broker '%s' is not Kafka: name it 'kafka' or 'kafka@name'.".formatted(name));
      }
      this.name = name;
    }

    /**
     * The Kafka client's own settings: {@code bootstrap.servers}, TLS, SASL, compression and so on.
     */
    public Builder properties(Properties properties) {
      Map<String, ?> copy =
          properties.stringPropertyNames().stream()
              .collect(Collectors.toUnmodifiableMap(n -> n, properties::getProperty));
      return properties(() -> copy);
    }

    /**
     * The same, asked for at each opening of a publisher: after a change of credentials, the next
     * publisher has the new ones.
     */
    public Builder properties(Supplier<Map<String, ?>> properties) {
      this.settings = properties;
      return this;
    }

    /**
     * How long a topic may be unknown before its messages count as undeliverable for now; default 5
     * seconds.
     */
    public Builder metadataTimeout(Duration timeout) {
      this.metadataTimeout = positive("metadataTimeout", timeout);
      return this;
    }

    /**
     * How long the broker may leave a message unconfirmed before the publisher gives up; default 30
     * seconds. The client retries all that while.
     */
    public Builder confirmTimeout(Duration timeout) {
      this.confirmTimeout = positive("confirmTimeout", timeout);
      return this;
    }

    /**
     * The broker. No connection is made yet.
     *
     * @throws IllegalArgumentException if a setting is missing or would break a guarantee
     */
    public KafkaBroker build() {
      var unused = KafkaSettings.complete(name, 0, settings.get());
      return new KafkaBroker(this);
    }

    private static Duration positive(String what, Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException(what + " must be positive, not " + timeout);
      }
      return timeout;
    }
  }
}
