package dev.twinbox.testkit;

import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * Kafka inside this JVM: quick to start, and its brokers can be stopped and started again, but not
 * killed; for that there is {@link TestKafkaProcesses}.
 */
public final class TestKafka extends KafkaCluster {
  private static @Nullable TestKafka shared;

  static {
    // A broker in trouble ends its JVM, which here would be the one that runs the tests.
    refuseExits();
  }

  private final Map<KafkaNode, KafkaRaftServer> running = new HashMap<>();

  private TestKafka(int brokers, Map<String, String> settings) {
    super(brokers, settings, List.of());
  }

  /** Starts one broker. */
  public static TestKafka start() {
    return start(1);
  }

  /** Starts the given number of brokers, and beside them a controller if they are several. */
  public static TestKafka start(int brokers) {
    return start(brokers, Map.of());
  }

  /**
   * Starts the given number of brokers with settings as in server.properties, which go before those
   * of this class.
   */
  public static TestKafka start(int brokers, Map<String, String> settings) {
    TestKafka kafka = new TestKafka(brokers, settings);
    // The controller first: a broker's start waits for it.
    kafka.nodes().stream().filter(node -> !node.isBroker()).forEach(kafka::startNode);
    kafka.nodes().stream().filter(KafkaNode::isBroker).forEach(kafka::startNode);
    return kafka;
  }

  /** One broker, shared by everyone in this JVM; started when first asked for. */
  public static synchronized TestKafka shared() {
    TestKafka present = shared;
    if (present == null) {
      present = start();
      shared = present;
    }
    return present;
  }

  @Override
  public synchronized void startBroker(int i) {
    if (!running.containsKey(broker(i))) {
      startNode(broker(i));
    }
  }

  @Override
  public synchronized void stopBroker(int i) {
    stopNode(broker(i));
  }

  @Override
  void end() {
    nodes().forEach(this::stopNode);
  }

  private void startNode(KafkaNode node) {
    KafkaRaftServer server =
        new KafkaRaftServer(new KafkaConfig(node.properties(), false), Time.SYSTEM);
    running.put(node, server);
    server.startup();
    if (node.isBroker()) {
      Commands.await("Starting Kafka", START_LIMIT, () -> serves(node));
    }
  }

  private void stopNode(KafkaNode node) {
    KafkaRaftServer server = running.remove(node);
    if (server != null) {
      server.shutdown();
      server.awaitShutdown();
    }
  }

  /** Kafka 4.4 has moved the class; older clients, as frameworks manage them, have it elsewhere. */
  private static void refuseExits() {
    try {
      Class<?> exit = exitClass();
      Class<?> procedure = Class.forName(exit.getName() + "$Procedure");
      Object refusing =
          Proxy.newProxyInstance(
              TestKafka.class.getClassLoader(),
              new Class<?>[] {procedure},
              (proxy, method, arguments) -> {
                if (method.getDeclaringClass() == Object.class) {
                  return method.getName().equals("toString") ? "TestKafka refuses" : null;
                }
                throw refusedExit((Integer) arguments[0], (String) arguments[1]);
              });
      exit.getMethod("setExitProcedure", procedure).invoke(null, refusing);
      exit.getMethod("setHaltProcedure", procedure).invoke(null, refusing);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("This version of Kafka is not known to the testkit.", e);
    }
  }

  private static Class<?> exitClass() throws ClassNotFoundException {
    try {
      return Class.forName("org.apache.kafka.common.utils.internals.Exit");
    } catch (ClassNotFoundException e) {
      return Class.forName("org.apache.kafka.common.utils.Exit");
    }
  }

  private static IllegalStateException refusedExit(int code, @Nullable String message) {
    return new IllegalStateException(
        "Kafka wanted to end the JVM with code " + code + ": " + Objects.toString(message, ""));
  }
}
