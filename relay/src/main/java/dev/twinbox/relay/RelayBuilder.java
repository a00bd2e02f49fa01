package dev.twinbox.relay;

import dev.twinbox.broker.Broker;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RateLimits;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Configures a {@link Relay}. Not thread-safe. */
public final class RelayBuilder {
  private @Nullable DataSource dataSource;
  private Tables tables = Tables.in("twinbox");
  private String schemaName = "twinbox";
  private DrainSettings settings = DrainSettings.DEFAULTS;
  private final List<Broker> brokers = new ArrayList<>();
  private final List<Outbox> outboxes = new ArrayList<>();
  private RateLimits rateLimits = RateLimits.NONE;
  private boolean development;
  private InstantSource clock = InstantSource.system();
  private String name = ManagementFactory.getRuntimeMXBean().getName();

  RelayBuilder() {}

  /**
   * Required: a connection pool on the database's primary, best one of the relay's own with at
   * least as many connections as it has lanes, and four more. Connections are borrowed for single
   * transactions.
   */
  public RelayBuilder dataSource(DataSource pool) {
    dataSource = pool;
    return this;
  }

  /** The schema of Twinbox's tables. Default {@code twinbox}. */
  public RelayBuilder schema(String schema) {
    tables = Tables.in(schema);
    schemaName = schema;
    return this;
  }

  /** Adds a broker to publish to; at least one. The relay closes it. */
  public RelayBuilder broker(Broker broker) {
    brokers.add(broker);
    return this;
  }

  /**
   * Listens to an outbox of this process, so that what it enqueues is looked for right after the
   * commit instead of at the next poll. Optional, and callable for several.
   */
  public RelayBuilder outbox(Outbox outbox) {
    outboxes.add(outbox);
    return this;
  }

  /**
   * What this relay is called among all; a random part is added, so that several may be called
   * alike. Default: process and host.
   */
  public RelayBuilder name(String relayName) {
    name = relayName;
    return this;
  }

  /**
   * How long a lane stays with a relay that no longer writes, by the database's clock. Shorter
   * means faster takeover and less tolerance of long pauses. Default 10 s, at least 1 s.
   */
  public RelayBuilder lease(Duration lease) {
    settings = settings.withLease(lease);
    return this;
  }

  /**
   * Lets at most so many messages a second go to a destination, evenly, so that its consumers are
   * not flooded when a pile is drained. All relays of a database that say the same keep it
   * together: each has as much of it as it holds of the broker's lanes. Messages of other
   * destinations do not wait for it. Default: no limit.
   *
   * @param destination as it is enqueued, for example {@code kafka:orders}
   * @param messagesPerSecond 0.01 to 1,000,000
   */
  public RelayBuilder rateLimit(String destination, double messagesPerSecond) {
    rateLimits = rateLimits.with(destination, messagesPerSecond);
    return this;
  }

  /** All rate limits at once, in place of those given before. */
  public RelayBuilder rateLimits(RateLimits all) {
    rateLimits = all;
    return this;
  }

  /** Everything else that can be set. Default {@link DrainSettings#DEFAULTS}. */
  public RelayBuilder settings(DrainSettings all) {
    settings = all;
    return this;
  }

  /** For tests of clocks that are wrong. Default: the system's. */
  RelayBuilder clock(InstantSource source) {
    clock = source;
    return this;
  }

  /**
   * For a developer's machine: lets the relay work where messages could be lost, as with topics on
   * one broker. Nothing is checked then but the schema. Default: off, so that {@link Relay#start}
   * refuses such settings, and destinations that turn out unsafe are not published to.
   */
  public RelayBuilder development() {
    development = true;
    return this;
  }

  /**
   * Builds the relay, without starting it.
   *
   * @throws IllegalStateException when data source or broker is missing, or two brokers have the
   *     same name
   */
  public Relay build() {
    if (dataSource == null) {
      throw new IllegalStateException("The relay has no data source: call dataSource(pool).");
    }
    if (brokers.isEmpty()) {
      throw new IllegalStateException("The relay has no broker: call broker(...).");
    }
    if (brokers.stream().map(Broker::name).distinct().count() < brokers.size()) {
      throw new IllegalStateException(
          "Two brokers have the same name: "
              + brokers.stream().map(Broker::name).toList()
              + "; name one of them, as in kafka@billing.");
    }
    return new Relay(this);
  }

  InstantSource clock() {
    return clock;
  }

  DataSource dataSource() {
    return Objects.requireNonNull(dataSource, "dataSource");
  }

  Tables tables() {
    return tables;
  }

  DrainSettings settings() {
    return settings;
  }

  String schemaName() {
    return schemaName;
  }

  RateLimits rateLimits() {
    return rateLimits;
  }

  boolean isDevelopment() {
    return development;
  }

  List<Outbox> outboxes() {
    return outboxes;
  }

  List<Broker> brokers() {
    return brokers;
  }

  String uniqueName() {
    return name + "-" + UUID.randomUUID().toString().substring(0, 8);
  }
}
