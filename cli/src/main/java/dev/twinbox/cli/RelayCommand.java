package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.BrokerKinds;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.RelayBuilder;
import dev.twinbox.relay.drain.DrainSettings;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox relay}: a worker process. */
@Command(
    name = "relay",
    mixinStandardHelpOptions = true,
    description = {
      "Publishes what is committed to the outbox, until it is told to stop by SIGTERM or SIGINT. It"
          + " then takes no more, waits for outstanding confirms, frees its lanes and exits with 0."
          + " Run several, and they share the work.",
      "Serves each broker that is configured: by its options below, by the environment, which also"
          + " takes other client properties, as in TWINBOX_KAFKA_LINGER_MS, or by the file."
    },
    modelTransformer = BrokerOptions.class)
final class RelayCommand implements Runnable {
  private static final int LANES_A_BROKER = 4;
  private static final int OTHER_CONNECTIONS = 4;

  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "What this relay is called; a random part is added. Default: process and host.")
  private @Nullable String name;

  @Option(
      names = "--lease",
      paramLabel = "SECONDS",
      defaultValue = "10",
      description =
          "How long its lanes wait for a relay that has died, 1 to 3600, default ${DEFAULT-VALUE}.")
  private int lease = 10;

  @Option(
      names = "--connections",
      paramLabel = "N",
      description =
          "Most database connections, default 4 a broker and 4; with more lanes than 4 a broker,"
              + " as many as lanes and 4.")
  private @Nullable Integer connections;

  @Option(
      names = "--development",
      description =
          "Work also where messages could be lost, as with topics on one broker; for a developer's"
              + " machine. 'twinbox doctor' shows what would be refused.")
  private boolean development;

  @Option(
      names = "--metrics-port",
      paramLabel = "[ADDRESS:]PORT",
      description =
          "Serve /metrics for Prometheus and /health there, on all addresses unless one is given;"
              + " 0 takes a free port. Default: not.")
  private @Nullable String metricsPort;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    if (lease < 1 || lease > 3600) {
      throw new ParameterException(
          spec.commandLine(), "--lease is %s; choose 1 to 3600 seconds.".formatted(lease));
    }
    Map<String, String> flags = BrokerOptions.given(spec);
    // Asked anew for each connection: credentials are rotated while a relay runs.
    Supplier<Settings> current = () -> connection.settings(flags);
    Settings settings = current.get();
    Map<String, Map<String, String>> brokers = settings.brokers();
    if (brokers.isEmpty()) {
      throw new CommandException(
          "There is no broker to publish to. Use %s, the environment (%s) or a --config FILE."
              .formatted(
                  Brokers.addresses(BrokerKinds.all(), Brokers::option, ", "),
                  Brokers.addresses(BrokerKinds.all(), Brokers::variable, ", ")));
    }
    Logging.tellOfTwinbox();
    int pool =
        connections == null
            ? brokers.size() * LANES_A_BROKER + OTHER_CONNECTIONS
            : connections.intValue();
    HikariDataSource database = Database.connect(current, pool);
    RelayBuilder builder =
        Relay.builder()
            .dataSource(database)
            .schema(settings.schema())
            .rateLimits(settings.rateLimits())
            .settings(
                DrainSettings.DEFAULTS
                    .withRetry(settings.retries())
                    .withLease(Duration.ofSeconds(lease)));
    if (name != null) {
      builder.name(name);
    }
    if (development) {
      builder.development();
    }
    for (String broker : brokers.keySet()) {
      builder.broker(
          Brokers.make(broker, () -> current.get().brokers().getOrDefault(broker, Map.of())));
    }
    Relay relay = builder.build();
    MetricsServer metrics = null;
    try {
      metrics = metricsPort == null ? null : MetricsServer.start(metricsPort, relay);
      relay.start();
    } catch (RuntimeException e) {
      if (metrics != null) {
        metrics.close();
      }
      relay.close();
      database.close();
      throw e;
    }
    workUntilTold(relay, metrics, database);
  }

  private void workUntilTold(
      Relay relay, @Nullable MetricsServer metrics, HikariDataSource database) {
    PrintWriter out = spec.commandLine().getOut();
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> stop(relay, metrics, database, out), "twinbox-stop"));
    if (metrics != null) {
      out.println("Metrics and health are served on port %s.".formatted(metrics.port()));
    }
    out.println("The relay %s is running; SIGTERM stops it.".formatted(relay.name()));
    out.flush();
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Ends the process here: after a signal, the JVM's own exit code would say that it was killed.
   */
  private static void stop(
      Relay relay, @Nullable MetricsServer metrics, HikariDataSource database, PrintWriter out) {
    int code = 1;
    try {
      if (metrics != null) {
        metrics.close();
      }
      relay.close();
      database.close();
      out.println("The relay %s has stopped.".formatted(relay.name()));
      out.flush();
      code = 0;
    } finally {
      Runtime.getRuntime().halt(code);
    }
  }
}
