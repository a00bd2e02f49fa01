package dev.twinbox.testkit;

import static java.util.stream.Collectors.joining;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * The place of one node in a Kafka cluster: its number, role, ports and folder.
 *
 * @param id the node's number; brokers count from 0
 * @param port of the broker, or of the controller where that is all it is
 * @param entrances further ways into a broker, each through a proxy
 */
record KafkaNode(
    int id,
    String roles,
    int port,
    Path folder,
    int brokers,
    Controller controller,
    Map<String, String> settings,
    List<KafkaEntrance> entrances) {
  private static final int CONTROLLER_ID = 100;

  record Controller(int id, int port) {}

  /**
   * Plans a cluster and formats its folders. One broker is its own controller; several have one
   * beside them, which stays when they are stopped.
   *
   * @return the brokers, and then the controller if it is a node of its own
   */
  static List<KafkaNode> plan(
      Path folder, int brokers, Map<String, String> settings, List<String> entrances) {
    if (brokers < 1) {
      throw new IllegalArgumentException("A cluster needs a broker, not " + brokers);
    }
    Controller controller =
        new Controller(brokers == 1 ? 0 : CONTROLLER_ID, Ports.OF_THIS_JVM.free());
    List<KafkaNode> nodes = new ArrayList<>();
    for (int id = 0; id < brokers; id++) {
      String roles = brokers == 1 ? "broker,controller" : "broker";
      nodes.add(
          new KafkaNode(
              id,
              roles,
              Ports.OF_THIS_JVM.free(),
              folder.resolve("node" + id),
              brokers,
              controller,
              settings,
              entrances.stream().map(KafkaEntrance::open).toList()));
    }
    if (brokers > 1) {
      nodes.add(
          new KafkaNode(
              controller.id,
              "controller",
              controller.port,
              folder.resolve("controller"),
              brokers,
              controller,
              settings,
              List.of()));
    }
    String cluster = Uuid.randomUuid().toString();
    nodes.forEach(node -> node.format(cluster));
    return List.copyOf(nodes);
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  boolean isBroker() {
    return roles.startsWith("broker");
  }

  Path data() {
    return folder.resolve("data");
  }

  /**
   * Sized for a test: few threads, small buffers, no waiting for groups, nothing created unasked.
   */
  Properties properties() {
    Properties properties = new Properties();
    properties.put("node.id", Integer.toString(id));
    properties.put("process.roles", roles);
    properties.put("log.dirs", data().toString());
    properties.put("controller.quorum.voters", controller.id + "@127.0.0.1:" + controller.port);
    properties.put("controller.listener.names", "CONTROLLER");
    properties.put("inter.broker.listener.name", "PLAINTEXT");
    properties.put(
        "listener.security.protocol.map",
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT" + each(e -> e.name() + ":PLAINTEXT"));
    String own = (isBroker() ? "PLAINTEXT://" : "CONTROLLER://") + address();
    boolean both = isBroker() && id == controller.id;
    properties.put(
        "listeners",
        own
            + (both ? ",CONTROLLER://127.0.0.1:" + controller.port : "")
            + each(KafkaEntrance::listener));
    if (isBroker()) {
      properties.put("advertised.listeners", own + each(KafkaEntrance::advertised));
    }
    String copies = Integer.toString(Math.min(brokers, 3));
    String inSync = Integer.toString(Math.min(brokers, 2));
    for (String topic : List.of("transaction.state.log", "share.coordinator.state.topic")) {
      properties.put(topic + ".replication.factor", copies);
      properties.put(topic + ".min.isr", inSync);
      properties.put(topic + ".num.partitions", "1");
    }
    properties.put("offsets.topic.replication.factor", copies);
    properties.put("offsets.topic.num.partitions", "1");
    properties.put("group.initial.rebalance.delay.ms", "0");
    properties.put("auto.create.topics.enable", "false");
    properties.put("broker.heartbeat.interval.ms", "500");
    properties.put("broker.session.timeout.ms", "4000");
    properties.put("num.network.threads", "2");
    properties.put("num.io.threads", "2");
    properties.put("background.threads", "2");
    properties.put("log.cleaner.dedupe.buffer.size", "2097152");
    properties.put("log.index.size.max.bytes", "1048576");
    properties.put("offsets.load.buffer.size", "524288");
    properties.putAll(settings);
    return properties;
  }

  private String each(Function<KafkaEntrance, String> text) {
    return entrances.stream().map(entrance -> "," + text.apply(entrance)).collect(joining());
  }

  /** Writes {@link #properties()} where a process can read them. */
  Path propertiesFile() {
    Path file = folder.resolve("server.properties");
    try (Writer writer = Files.newBufferedWriter(file)) {
      properties().store(writer, null);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Where the default locale has digits of its own, Kafka 4.4 names a file by them and does not
   * find it again; a broker is without its features then. No broker under test is to depend on
   * that.
   */
  private void format(String cluster) {
    Locales.inRoot(() -> formatNow(cluster));
  }

  private void formatNow(String cluster) {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    try {
      Files.createDirectories(data());
      new Formatter()
          .setPrintStream(new PrintStream(output, true, StandardCharsets.UTF_8))
          .setNodeId(id)
          .setClusterId(cluster)
          .setControllerListenerName("CONTROLLER")
          .setDirectories(List.of(data().toString()))
          .setMetadataLogDirectory(data().toString())
          .run();
    } catch (Exception e) {
      throw new IllegalStateException("Formatting Kafka's storage failed: " + output, e);
    }
  }
}
