package dev.twinbox.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.twinbox.relay.Health;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.metrics.RelayMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Serves {@code /metrics} as Prometheus reads it, and {@code /health} with 200 or 503. */
final class MetricsServer implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads;
  private final RelayMetrics metrics;

  private MetricsServer(HttpServer server, ExecutorService threads, RelayMetrics metrics) {
    this.server = server;
    this.threads = threads;
    this.metrics = metrics;
  }

  /**
   * @param address as in {@code 9404} or {@code 127.0.0.1:9404}; port 0 takes any that is free
   */
  static MetricsServer start(String address, Relay relay) {
    InetSocketAddress at = address(address);
    HttpServer server;
    try {
      server = HttpServer.create(at, 0);
    } catch (IOException e) {
      throw new CommandException(
          "--metrics-port is %s, which cannot be listened on: %s. Choose another port."
              .formatted(address, Explanation.line(e)),
          e);
    }
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    RelayMetrics metrics = new RelayMetrics(relay);
    metrics.bindTo(registry);
    server.createContext(
        "/metrics",
        exchange ->
            answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", registry.scrape()));
    server.createContext(
        "/health",
        exchange -> {
          Health health = health(relay);
          answer(
              exchange,
              health.up() ? 200 : 503,
              "text/plain; charset=utf-8",
              health.up() ? "ok\n" : String.join("\n", health.problems()) + "\n");
        });
    ExecutorService threads =
        Executors.newFixedThreadPool(
            2,
            work -> {
              Thread thread = new Thread(work, "twinbox-http");
              thread.setDaemon(true);
              return thread;
            });
    server.setExecutor(threads);
    server.start();
    return new MetricsServer(server, threads, metrics);
  }

  /** Whoever asks is to hear that something is wrong, not nothing. */
  private static Health health(Relay relay) {
    try {
      return relay.health();
    } catch (RuntimeException | Error e) {
      return new Health(false, List.of("Health is unknown: " + e.getClass().getName()));
    }
  }

  private static InetSocketAddress address(String address) {
    int colon = address.lastIndexOf(':');
    String port = address.substring(colon + 1);
    if (!port.matches("\\d{1,5}") || Integer.parseInt(port) > 65_535) {
      throw new CommandException(
          "--metrics-port is %s; write a port from 0 to 65535, or ADDRESS:PORT."
              .formatted(address));
    }
    int number = Integer.parseInt(port);
    return colon < 0
        ? new InetSocketAddress(number)
        : new InetSocketAddress(address.substring(0, colon), number);
  }

  private static void answer(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, body.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(body);
    }
  }

  int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    metrics.close();
    server.stop(0);
    threads.shutdownNow();
  }
}
