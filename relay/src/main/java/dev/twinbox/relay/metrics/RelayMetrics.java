package dev.twinbox.relay.metrics;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Supervision;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.drain.Counters.Counts;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A relay's figures, and those of the outbox that it serves. docs/operations.md lists them all.
 *
 * <p>What the relay does is counted as it happens. What waits in the database is read every 10
 * seconds by a thread of its own, at a cost that does not grow with the backlog; every relay shows
 * the same there, so take the greatest and not the sum.
 *
 * <p>Thread-safe. Use: {@code new RelayMetrics(relay).bindTo(registry)}, and {@link #close} before
 * the relay is closed. Needs {@code micrometer-core} on the class path.
 */
public final class RelayMetrics implements MeterBinder, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RelayMetrics.class);
  private static final Duration EVERY = Duration.ofSeconds(10);

  private final Relay relay;
  private final List<Registered> registries = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService reader =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "twinbox-metrics");
            thread.setDaemon(true);
            return thread;
          });

  /** Reads what waits every 10 seconds. */
  public RelayMetrics(Relay relay) {
    this(relay, EVERY);
  }

  /**
   * @param relay whose figures
   * @param every how often what waits is read, at least 1 second
   */
  public RelayMetrics(Relay relay, Duration every) {
    if (every.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException("every is %s; the shortest is 1 s.".formatted(every));
    }
    this.relay = relay;
    relay.counters().onPublished(this::published);
    var unused =
        reader.scheduleWithFixedDelay(
            Supervision.repeated("reading what waits", this::read),
            0,
            every.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    Registered registered = new Registered(registry);
    registered.relay();
    registries.add(registered);
  }

  private void published(OutboxRecord record) {
    Instant now = Instant.now();
    Duration latency = Duration.between(dueAt(record, now), now);
    for (Registered each : registries) {
      each.latency(record.destination()).record(latency.isNegative() ? Duration.ZERO : latency);
    }
  }

  /** A scheduled message was enqueued before it was due; an id of version 7 has the later time. */
  private static Instant dueAt(OutboxRecord record, Instant now) {
    if (record.id().version() != 7) {
      return record.createdAt();
    }
    Instant meant = Instant.ofEpochMilli(record.id().getMostSignificantBits() >>> 16);
    return meant.isAfter(record.createdAt()) && !meant.isAfter(now) ? meant : record.createdAt();
  }

  private void read() {
    try {
      for (Registered each : registries) {
        each.counters();
      }
      if (!registries.isEmpty()) {
        OutboxFigures figures = OutboxFigures.of(relay.status());
        registries.forEach(each -> each.gauges.show(figures));
      }
    } catch (Exception e) {
      log.debug("What waits was not read", e);
    }
  }

  /** Stops reading what waits; the meters stay registered. Idempotent. */
  @Override
  public void close() {
    reader.shutdownNow();
  }

  /** What is registered with one registry. */
  private final class Registered {
    private final MeterRegistry registry;
    private final OutboxGauges gauges;
    private final Map<String, Timer> latencies = new ConcurrentHashMap<>();
    private final Set<List<String>> counted = ConcurrentHashMap.newKeySet();

    private Registered(MeterRegistry registry) {
      this.registry = registry;
      this.gauges = new OutboxGauges(registry);
    }

    private void relay() {
      Gauge.builder("twinbox.relay.up", relay, r -> r.health().up() ? 1 : 0)
          .description("Whether the relay can work")
          .register(registry);
      Gauge.builder("twinbox.relay.lanes.held", relay, r -> r.heldLanes().size())
          .description("Lanes that the relay holds")
          .register(registry);
      Gauge.builder("twinbox.relay.in.flight", relay, Relay::inFlight)
          .description("Messages handed to a broker and not confirmed")
          .register(registry);
      FunctionCounter.builder("twinbox.relay.windows", relay, r -> r.counters().windowCount())
          .description("Windows drained to their end")
          .register(registry);
      counters();
    }

    /** Meters for destinations and reasons that were not met before. */
    private void counters() {
      relay
          .counters()
          .byDestination()
          .forEach(
              (destination, counts) -> {
                if (counted.add(List.of(destination))) {
                  counter(
                      "twinbox.relay.published",
                      "Messages that the broker has confirmed",
                      Tags.of("destination", destination),
                      r -> count(r, destination).published());
                  counter(
                      "twinbox.relay.unavailable",
                      "How often the destination took nothing",
                      Tags.of("destination", destination),
                      r -> count(r, destination).unavailable());
                }
                for (String reason : counts.deadLettered().keySet()) {
                  if (counted.add(List.of(destination, reason))) {
                    counter(
                        "twinbox.relay.dead.lettered",
                        "Messages that were given up, expired and rejected ones included",
                        Tags.of("destination", destination, "reason", reason),
                        r -> count(r, destination).deadLettered().getOrDefault(reason, 0L));
                  }
                }
              });
    }

    private Counts count(Relay of, String destination) {
      return of.counters().count(destination);
    }

    private void counter(
        String name, String description, Tags tags, ToDoubleFunction<Relay> value) {
      FunctionCounter.builder(name, relay, value)
          .description(description)
          .tags(tags)
          .register(registry);
    }

    private Timer latency(String destination) {
      Timer known = latencies.get(destination);
      if (known != null) {
        return known;
      }
      return latencies.computeIfAbsent(
          relay.counters().counted(destination),
          name ->
              Timer.builder("twinbox.relay.latency")
                  .description("From when a message was due until the broker has confirmed it")
                  .tags("destination", name)
                  .serviceLevelObjectives(buckets())
                  .register(registry));
    }

    private Duration[] buckets() {
      List<Duration> buckets = new ArrayList<>();
      for (int millis : new int[] {5, 10, 25, 50, 100, 250, 500}) {
        buckets.add(Duration.ofMillis(millis));
      }
      for (int seconds : new int[] {1, 5, 30, 60, 300, 3600}) {
        buckets.add(Duration.ofSeconds(seconds));
      }
      return buckets.toArray(Duration[]::new);
    }
  }
}
