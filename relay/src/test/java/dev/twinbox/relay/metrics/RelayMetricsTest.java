package dev.twinbox.relay.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.Outcome;
import dev.twinbox.relay.MemoryBroker;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.Status.DestinationLine;
import dev.twinbox.relay.status.Thresholds;
import dev.twinbox.relay.status.Verdict;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A relay's meters follow what it does and what waits. */
class RelayMetricsTest {
  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private final MemoryBroker broker = new MemoryBroker();
  private final Relay relay =
      Relay.builder()
          .dataSource(database.dataSource())
          .broker(broker.borrowed())
          .development()
          .build();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @AfterEach
  void close() {
    relay.close();
    broker.close();
    database.close();
  }

  @Tag("essential")
  @Test
  void whatIsPublishedGivenUpAndWaitsIsCountedByDestination() throws SQLException {
    broker.troubledBy(
        message ->
            switch (message.destination()) {
              case "kafka:large" ->
                  Optional.of(new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "too large"));
              case "kafka:away" ->
                  Optional.of(new Outcome.Unavailable(Outcome.Reason.UNREACHABLE, "refused"));
              default -> Optional.empty();
            });
    for (int i = 0; i < 5; i++) {
      database.commitOne(0, "kafka:orders", "k" + i);
    }
    database.commitOne(1, "kafka:large", "k");
    database.commitOne(2, "kafka:away", "k");
    try (RelayMetrics metrics = new RelayMetrics(relay, Duration.ofSeconds(1))) {
      metrics.bindTo(registry);
      relay.start();

      await()
          .atMost(Duration.ofSeconds(30))
          .ignoreExceptions()
          .untilAsserted(
              () -> {
                assertThat(counter("published", "destination", "kafka:orders")).isEqualTo(5);
                assertThat(
                        counter(
                            "dead.lettered", "destination", "kafka:large", "reason", "too-large"))
                    .isEqualTo(1);
                assertThat(counter("unavailable", "destination", "kafka:away")).isPositive();
                assertThat(gauge("twinbox.outbox.waiting", "destination", "kafka:away"))
                    .isEqualTo(1);
                assertThat(gauge("twinbox.outbox.oldest", "destination", "kafka:away"))
                    .isPositive();
                assertThat(gauge("twinbox.outbox.dead.letters", "destination", "kafka:large"))
                    .isEqualTo(1);
                assertThat(gauge("twinbox.relay.lanes.held")).isEqualTo(4);
                assertThat(gauge("twinbox.outbox.ring.leaves")).isEqualTo(4);
                assertThat(gauge("twinbox.outbox.verdict")).isPositive();
                assertThat(gauge("twinbox.relay.up")).isZero();
              });
      assertThat(registry.get("twinbox.relay.latency").tag("destination", "kafka:orders").timer())
          .satisfies(timer -> assertThat(timer.count()).isEqualTo(5));

      broker.troubledBy(message -> Optional.empty());
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> {
                assertThat(gauge("twinbox.relay.up")).isEqualTo(1);
                assertThat(registry.find("twinbox.outbox.waiting").gauges())
                    .allMatch(gauge -> gauge.value() == 0);
              });
    }
  }

  /** What another process sees of a relay: how fast, and why not. */
  @Test
  void theRelaysSamplesTellRatesAndTroubles() throws SQLException {
    for (int i = 0; i < 200; i++) {
      database.commitOne(i % 4, "kafka:orders", "k" + i);
    }
    relay.start();
    await().until(() -> broker.count() == 200);
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> assertThat(line(relay.status(), "kafka:orders").outPerSecond()).isPositive());
    for (int i = 0; i < 100; i++) {
      database.commitOne(i % 4, "kafka:orders", "k" + i);
    }
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> assertThat(line(relay.status(), "kafka:orders").inPerSecond()).isPositive());

    broker.troubledBy(
        message ->
            Optional.of(new Outcome.Unavailable(Outcome.Reason.UNREACHABLE, "connection refused")));
    database.commitOne(0, "kafka:orders", "k");
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertThat(Verdict.of(relay.status(), Thresholds.DEFAULTS).causes())
                    .anyMatch(cause -> cause.sentence().startsWith("kafka unreachable for ")));
    broker.troubledBy(message -> Optional.empty());
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(relay.status().troubles()).isEmpty());
  }

  private static DestinationLine line(Status status, String destination) {
    return status.destinations().stream()
        .filter(line -> line.destination().equals(destination))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + destination + " in " + status));
  }

  private double counter(String name, String... tags) {
    return registry.get("twinbox.relay." + name).tags(tags).functionCounter().count();
  }

  private double gauge(String name, String... tags) {
    return registry.get(name).tags(tags).gauge().value();
  }

  @Test
  void withoutMicrometerARelayCanBeBuilt() throws Exception {
    URL[] urls =
        Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
            .filter(entry -> !entry.contains("micrometer") && !entry.contains("prometheus"))
            .map(RelayMetricsTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
      Callable<?> user =
          (Callable<?>) loader.loadClass(User.class.getName()).getConstructor().newInstance();
      assertThat(user.call()).isEqualTo("The relay is not running.");
    }
  }

  private static URL url(String entry) {
    try {
      return Path.of(entry).toUri().toURL();
    } catch (java.net.MalformedURLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Seen from the other class path. */
  public static final class User implements Callable<String> {
    @Override
    public String call() {
      MemoryBroker broker = new MemoryBroker();
      try (Relay built =
          Relay.builder()
              .dataSource(new org.postgresql.ds.PGSimpleDataSource())
              .broker(broker)
              .rateLimit("kafka:orders", 10)
              .build()) {
        try {
          Class.forName("io.micrometer.core.instrument.MeterRegistry");
          return "Micrometer is there";
        } catch (ClassNotFoundException e) {
          return built.health().problems().get(0);
        }
      }
    }
  }
}
