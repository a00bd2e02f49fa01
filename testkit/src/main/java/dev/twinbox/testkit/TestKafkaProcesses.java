package dev.twinbox.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Kafka with a process of 300 MB for each node, which can be killed and frozen. Several brokers
 * have a controller beside them, which is never touched.
 */
public final class TestKafkaProcesses extends KafkaCluster {
  private final Map<KafkaNode, Process> running = new HashMap<>();

  private TestKafkaProcesses(int brokers, Map<String, String> settings, List<String> entrances) {
    super(brokers, settings, entrances);
  }

  /** Starts the given number of brokers and waits until they serve, for 5 minutes at most. */
  public static TestKafkaProcesses start(int brokers) {
    return start(brokers, Map.of());
  }

  /**
   * Starts the given number of brokers with settings as in server.properties, which go before those
   * of this class.
   */
  public static TestKafkaProcesses start(int brokers, Map<String, String> settings) {
    return start(brokers, settings, List.of());
  }

  /**
   * The same with further ways into every broker, each through fault proxies of its own: a client
   * that enters by {@link #bootstrapServers(String)} stays with the proxies of that entrance.
   *
   * @param entrances their names: capital letters, digits and underscores
   */
  public static TestKafkaProcesses start(
      int brokers, Map<String, String> settings, List<String> entrances) {
    TestKafkaProcesses kafka = new TestKafkaProcesses(brokers, settings, entrances);
    kafka.nodes().forEach(kafka::launch);
    kafka.nodes().stream().filter(KafkaNode::isBroker).forEach(kafka::awaitService);
    return kafka;
  }

  /** The addresses of all brokers by way of an entrance, for {@code bootstrap.servers}. */
  public String bootstrapServers(String entrance) {
    return entrances(entrance).map(KafkaEntrance::address).collect(Collectors.joining(","));
  }

  /** The proxies of an entrance, one a broker. */
  public List<FaultProxy> proxies(String entrance) {
    return entrances(entrance).map(KafkaEntrance::proxy).toList();
  }

  /** Copies what the nodes have written to their logs into a folder that exists. */
  public void saveLogs(Path into) {
    nodes().forEach(node -> Commands.copy(log(node), into.resolve("kafka-" + node.id() + ".log")));
  }

  private Stream<KafkaEntrance> entrances(String name) {
    return nodes().stream()
        .flatMap(node -> node.entrances().stream())
        .filter(entrance -> entrance.name().equals(name));
  }

  @Override
  public synchronized void startBroker(int i) {
    KafkaNode node = broker(i);
    if (!running.containsKey(node)) {
      launch(node);
      awaitService(node);
    }
  }

  @Override
  public synchronized void stopBroker(int i) {
    end(broker(i), Process::destroy);
  }

  /** Kills broker {@code i}, counted from 0, with SIGKILL. */
  public synchronized void kill(int i) {
    end(broker(i), Process::destroyForcibly);
  }

  /** Freezes broker {@code i}; its connections stay open and nothing answers. */
  public synchronized void pause(int i) {
    Commands.pause(process(broker(i)).toHandle());
  }

  /** Ends {@link #pause(int)}. */
  public synchronized void resume(int i) {
    Commands.resume(process(broker(i)).toHandle());
  }

  @Override
  void end() {
    nodes().forEach(node -> end(node, Process::destroyForcibly));
  }

  private interface Ending {
    void apply(Process process);
  }

  private void end(KafkaNode node, Ending ending) {
    Process process = running.remove(node);
    if (process != null) {
      ending.apply(process);
      Commands.awaitExit("Kafka", process);
      ExitCleanup.spare(process.pid());
    }
  }

  private void launch(KafkaNode node) {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx300m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dlogback.configurationFile=dev/twinbox/testkit/kafka-logback.xml",
            "-cp",
            System.getProperty("java.class.path"),
            "kafka.Kafka",
            node.propertiesFile().toString());
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(node.folder().toFile())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log(node).toFile()))
              .start();
      ExitCleanup.killAtEnd(process.pid());
      running.put(node, process);
    } catch (IOException e) {
      throw new UncheckedIOException("Kafka did not start", e);
    }
  }

  private void awaitService(KafkaNode node) {
    Process process = process(node);
    Commands.await(
        "Starting Kafka",
        START_LIMIT,
        () -> {
          if (!process.isAlive()) {
            throw new IllegalStateException("Kafka has ended: " + Commands.tail(log(node)));
          }
          return serves(node);
        });
  }

  private Process process(KafkaNode node) {
    Process process = running.get(node);
    if (process == null) {
      throw new IllegalStateException("Broker " + node.id() + " does not run");
    }
    return process;
  }

  private static Path log(KafkaNode node) {
    return node.folder().resolve("output.log");
  }
}
