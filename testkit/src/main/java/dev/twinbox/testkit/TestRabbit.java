package dev.twinbox.testkit;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A RabbitMQ node with the management plugin.
 *
 * <p>It is, in this order: the node that the environment names ({@code TWINBOX_RABBITMQ}, an AMQP
 * address, and {@code TWINBOX_TEST_RABBITMQ_MANAGEMENT}, an HTTP one); a private node from an
 * installed rabbitmq-server; a private node in a container. A private node has free ports of
 * localhost and is gone when the JVM is. Safe for use by several threads; the methods that kill or
 * freeze it affect everyone who shares it, and the node from the environment refuses them with
 * {@link UnsupportedOperationException}.
 */
public final class TestRabbit implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(5);
  private static @Nullable TestRabbit shared;

  private final RabbitNode node;
  private final ConnectionFactory address;

  private TestRabbit(RabbitNode node) {
    this.node = node;
    address = factory(node.amqp());
  }

  /**
   * Starts a node and waits until it accepts connections, for 5 minutes at most.
   *
   * @throws IllegalStateException if there is no RabbitMQ to start
   */
  public static TestRabbit start() {
    TestRabbit rabbit =
        new TestRabbit(choose(System.getenv(), InstalledRabbit::find, ContainerRabbit::isPossible));
    rabbit.startNode();
    return rabbit;
  }

  /** A node that somebody else has started, once it accepts connections. */
  static TestRabbit started(RabbitNode node) {
    TestRabbit rabbit = new TestRabbit(node);
    rabbit.awaitNode();
    return rabbit;
  }

  /** A node shared by everyone in this JVM; started when first asked for. */
  public static synchronized TestRabbit shared() {
    TestRabbit present = shared;
    if (present == null) {
      present = start();
      shared = present;
    }
    return present;
  }

  /** The AMQP address, credentials included; it stays the same over restarts. */
  public URI uri() {
    return node.amqp();
  }

  public String host() {
    return address.getHost();
  }

  /** The AMQP port. */
  public int port() {
    return address.getPort();
  }

  /** The address of the management plugin's HTTP interface, without a path. */
  public URI managementUri() {
    return node.management();
  }

  /** A user that may do everything. */
  public String user() {
    return address.getUsername();
  }

  public String password() {
    return address.getPassword();
  }

  /** A new factory of connections to this node, without automatic recovery. */
  public ConnectionFactory connectionFactory() {
    return factory(node.amqp());
  }

  /** Kills the node with SIGKILL, as a power cut would; what it had confirmed must survive. */
  public synchronized void kill() {
    node.kill();
  }

  /** Stops the node in good order if it runs, and starts it on what it kept, on the same ports. */
  public synchronized void restart() {
    node.stop();
    startNode();
  }

  /** Freezes the node; connections stay open and nothing answers. */
  public synchronized void pause() {
    node.pause();
  }

  /** Ends {@link #pause()}. */
  public synchronized void resume() {
    node.resume();
  }

  /**
   * Runs rabbitmqctl on the node, for policies, users and the like.
   *
   * @throws IllegalStateException with its output, if it fails
   */
  public synchronized void control(String... command) {
    node.control(command);
  }

  /** Raises the memory alarm: connections that publish are blocked. */
  public synchronized void raiseMemoryAlarm() {
    node.control("set_vm_memory_high_watermark", "0");
  }

  /** Ends {@link #raiseMemoryAlarm()}. */
  public synchronized void clearMemoryAlarm() {
    node.control("set_vm_memory_high_watermark", "0.4");
  }

  /** Copies the logs of an installed node into a folder that exists. */
  public void saveLogs(Path into) {
    node.saveLogs(into);
  }

  /** Kills a private node and removes what it kept; leaves the environment's node alone. */
  @Override
  public synchronized void close() {
    node.remove();
  }

  @Override
  public String toString() {
    return "RabbitMQ on port " + port();
  }

  private void startNode() {
    node.start();
    awaitNode();
  }

  private void awaitNode() {
    Commands.await("Starting RabbitMQ", START_LIMIT, this::accepts);
  }

  private boolean accepts() {
    node.checkAlive();
    try (Connection connection = connectionFactory().newConnection()) {
      return connection.isOpen();
    } catch (IOException | TimeoutException e) {
      return false;
    }
  }

  static RabbitNode choose(
      Map<String, String> environment,
      Supplier<Optional<Path>> find,
      BooleanSupplier containersArePossible) {
    String given = environment.get("TWINBOX_RABBITMQ");
    if (given != null && !given.isBlank()) {
      String management = environment.get("TWINBOX_TEST_RABBITMQ_MANAGEMENT");
      URI amqp = URI.create(given);
      return new GivenRabbit(
          amqp,
          URI.create(management == null ? "http://" + amqp.getHost() + ":15672" : management));
    }
    Optional<Path> installed = find.get();
    if (installed.isPresent()) {
      return InstalledRabbit.single(installed.get());
    }
    if (containersArePossible.getAsBoolean()) {
      return new ContainerRabbit();
    }
    throw new IllegalStateException(
        "No RabbitMQ to test with. Install rabbitmq-server (apt-get install rabbitmq-server), or"
            + " start a Docker engine, or name a node: TWINBOX_RABBITMQ=amqp://user:password@host"
            + " TWINBOX_TEST_RABBITMQ_MANAGEMENT=http://host:15672");
  }

  private static ConnectionFactory factory(URI address) {
    ConnectionFactory factory = new ConnectionFactory();
    try {
      factory.setUri(address.toString());
    } catch (URISyntaxException | GeneralSecurityException e) {
      throw new IllegalArgumentException("Not an AMQP address: " + address, e);
    }
    factory.setAutomaticRecoveryEnabled(false);
    factory.setTopologyRecoveryEnabled(false);
    return factory;
  }
}
