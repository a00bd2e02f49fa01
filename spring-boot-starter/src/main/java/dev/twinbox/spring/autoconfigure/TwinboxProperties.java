package dev.twinbox.spring.autoconfigure;

import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RateLimits;
import dev.twinbox.relay.drain.RetryPolicies;
import dev.twinbox.relay.drain.RetryPolicy;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The properties {@code twinbox.*}.
 *
 * @param schema Schema of Twinbox's tables.
 * @param migrate What becomes of Twinbox's tables at the start.
 * @param development Whether settings are allowed that can lose messages, as on a developer's
 *     machine with one broker.
 * @param outbox The write side.
 * @param relay The relay inside this service.
 * @param inbox The reading side.
 * @param brokers Brokers by name: kafka, rabbitmq, or several of a kind as kafka@name.
 */
@ConfigurationProperties("twinbox")
public record TwinboxProperties(
    @DefaultValue("twinbox") String schema,
    @DefaultValue("on-start") MigrateMode migrate,
    boolean development,
    @DefaultValue OutboxSettings outbox,
    @DefaultValue RelaySettings relay,
    @DefaultValue InboxSettings inbox,
    @DefaultValue Map<String, BrokerSettings> brokers) {

  /** The settings of a broker; those of one that is not named. */
  BrokerSettings broker(String name) {
    return brokers.getOrDefault(name, new BrokerSettings(true, Map.of()));
  }

  /**
   * The write side.
   *
   * @param source Who sends: a URI reference such as /shop/orders. Default: the application's name
   *     behind a slash.
   * @param maxPayloadSize Most that payload, key and headers of a message take together.
   */
  public record OutboxSettings(
      @Nullable String source, @DefaultValue("1000000B") DataSize maxPayloadSize) {}

  /** Which connections the relay uses. */
  public enum RelayPool {
    /** A small pool of its own with the settings of the service's, where that is HikariCP's. */
    OWN,
    /** The service's pool. */
    SHARED
  }

  /**
   * The relay inside this service.
   *
   * @param enabled Whether this service relays. Others may: one relay a database is enough.
   * @param name What the relay is called in status and logs. Default: the application's name.
   * @param pool Whether the relay has connections of its own.
   * @param poolSize Most connections of its own pool: one a lane, and four more.
   * @param lease How long a lane stays with a relay that no longer writes.
   * @param stopDeadline How long a stop waits for outstanding confirms.
   * @param rateLimits Most messages a second, by destination.
   * @param pageRows Most rows that are read at a time.
   * @param pageSize A page ends with the row that reaches this size.
   * @param rowsInFlight Most rows of a lane that are handed over and not confirmed.
   * @param sizeInFlight No page is read while so much of a lane is in flight.
   * @param shortestPoll Pause between polls right after work.
   * @param longestPoll Pause between polls when idle.
   * @param retry What happens to messages that a broker does not take.
   */
  public record RelaySettings(
      @DefaultValue("true") boolean enabled,
      @Nullable String name,
      @DefaultValue("own") RelayPool pool,
      @DefaultValue("16") int poolSize,
      @DefaultValue("10s") Duration lease,
      @DefaultValue("10s") Duration stopDeadline,
      @DefaultValue Map<String, Double> rateLimits,
      @DefaultValue("2500") int pageRows,
      @DefaultValue("4MB") DataSize pageSize,
      @DefaultValue("5000") int rowsInFlight,
      @DefaultValue("16MB") DataSize sizeInFlight,
      @DefaultValue("2ms") Duration shortestPoll,
      @DefaultValue("150ms") Duration longestPoll,
      @DefaultValue RetrySettings retry) {

    DrainSettings drain() {
      return new DrainSettings(
          pageRows,
          pageSize.toBytes(),
          rowsInFlight,
          sizeInFlight.toBytes(),
          lease,
          shortestPoll,
          longestPoll,
          RetryPolicies.all(retry.policy()),
          stopDeadline);
    }

    RateLimits limits() {
      return new RateLimits(rateLimits);
    }
  }

  /**
   * What happens to messages that a broker does not take.
   *
   * @param firstPause Pause after the first failure; it doubles.
   * @param longestPause The longest pause.
   * @param maxAttempts Attempts before a message becomes a dead letter.
   * @param gracePeriod How long a destination may be missing before its messages are judged.
   * @param parkAfter How long a lane stands still for one broken destination.
   * @param blockKeyOnDeadLetter Whether a dead letter holds back what follows it with its key.
   */
  public record RetrySettings(
      @Nullable Duration firstPause,
      @Nullable Duration longestPause,
      @Nullable Integer maxAttempts,
      @Nullable Duration gracePeriod,
      @Nullable Duration parkAfter,
      boolean blockKeyOnDeadLetter) {

    RetryPolicy policy() {
      RetryPolicy defaults = RetryPolicy.DEFAULTS;
      return new RetryPolicy(
          firstPause == null ? defaults.first() : firstPause,
          longestPause == null ? defaults.longest() : longestPause,
          maxAttempts == null ? defaults.maxAttempts() : maxAttempts,
          gracePeriod == null ? defaults.gracePeriod() : gracePeriod,
          defaults.afterGrace(),
          parkAfter == null ? defaults.parkAfter() : parkAfter,
          blockKeyOnDeadLetter);
    }
  }

  /**
   * The reading side.
   *
   * @param enabled Whether the listeners of this service consume.
   * @param consumer Name under which message ids are recorded. Default: the application's name.
   * @param backoff When failed messages are tried again.
   * @param handlerTimeLimit How long a listener may take.
   * @param mayOvertake Whether messages go on behind a failed one of their key.
   * @param concurrency Threads of each listener.
   * @param closeLimit How long a stop waits for what is in work.
   */
  public record InboxSettings(
      @DefaultValue("true") boolean enabled,
      @Nullable String consumer,
      @DefaultValue BackoffSettings backoff,
      @DefaultValue("5m") Duration handlerTimeLimit,
      boolean mayOvertake,
      @DefaultValue("1") int concurrency,
      @DefaultValue("20s") Duration closeLimit) {}

  /**
   * When failed messages are tried again.
   *
   * @param first Pause after the first failure; it doubles.
   * @param longest The longest pause.
   * @param attempts Attempts before a message is quarantined.
   */
  public record BackoffSettings(
      @DefaultValue("1s") Duration first,
      @DefaultValue("5m") Duration longest,
      @DefaultValue("5") int attempts) {}

  /**
   * One broker.
   *
   * @param enabled Whether the relay publishes to it.
   * @param properties Settings of the broker's client, on top of what Spring Boot knows.
   */
  public record BrokerSettings(
      @DefaultValue("true") boolean enabled, @DefaultValue Map<String, String> properties) {}
}
