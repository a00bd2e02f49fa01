package dev.twinbox.testkit;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.common.message.MessageExt;
import org.jspecify.annotations.Nullable;

/**
 * RocketMQ on localhost: a name server and a broker, with a slave if it is asked for, each a
 * process of about 150 MB, which can be killed, frozen and started again.
 *
 * <p>What a broker confirms is on its disk, and on the slave's where there is one. Topics are not
 * created unasked. Needs {@code rocketmq-client} on the class path. Safe for use by several
 * threads.
 *
 * <p>Clients meet fault proxies: they ask for topics by {@link #nameServer()}, and are told a
 * broker's address on 127.0.0.2, where its proxy listens. The servers themselves talk directly.
 */
public final class TestRocket implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(5);
  private static final String BROKER_NAME = "broker";
  private static @Nullable TestRocket shared;

  private final Path folder = ExitCleanup.temporaryFolder("rocketmq");
  private final int nameServerPort = Ports.OF_THIS_JVM.free();
  private final FaultProxy nameServerProxy = FaultProxy.to("127.0.0.1", nameServerPort);
  private final List<RocketNode> brokers = new ArrayList<>();
  private final RocketAdmin admin = new RocketAdmin("127.0.0.1:" + nameServerPort);
  private JavaProcess nameServer;

  private TestRocket(Map<String, String> settings, boolean slave) {
    nameServer = launchNameServer();
    brokers.add(new RocketNode(folder.resolve("master"), 0, own(settings, slave)));
    if (slave) {
      Map<String, String> slaves = own(settings, true);
      slaves.put("brokerRole", "SLAVE");
      brokers.add(new RocketNode(folder.resolve("slave"), 1, slaves));
    }
    brokers.forEach(RocketNode::launch);
    awaitNameServer();
    awaitBrokers();
  }

  /** Starts a name server and one broker, and waits until they serve, for 5 minutes at most. */
  public static TestRocket start() {
    return start(Map.of());
  }

  /** The same with settings as in broker.conf, which go before those of this class. */
  public static TestRocket start(Map<String, String> settings) {
    return new TestRocket(settings, false);
  }

  /** Starts a name server, a master that waits for its slave, and the slave: broker 1. */
  public static TestRocket withSlave(Map<String, String> settings) {
    return new TestRocket(settings, true);
  }

  /** One broker, shared by everyone in this JVM; started when first asked for. */
  public static synchronized TestRocket shared() {
    TestRocket present = shared;
    if (present == null) {
      present = start();
      shared = present;
    }
    return present;
  }

  /** Where clients find the name server, by way of its proxy: {@code host:port}. */
  public String nameServer() {
    return "127.0.0.1:" + nameServerProxy.port();
  }

  /** The proxy between clients and the name server. */
  public FaultProxy nameServerProxy() {
    return nameServerProxy;
  }

  /** The proxy between clients and broker {@code i}, counted from 0, which is the master. */
  public FaultProxy brokerProxy(int i) {
    return brokers.get(i).proxy();
  }

  /** Creates a topic with so many queues at the master, and waits until clients can find it. */
  public void createTopic(String topic, int queues) {
    createTopic(topic, queues, Map.of());
  }

  /** The same with attributes, as in {@code message.type=FIFO}. */
  public void createTopic(String topic, int queues, Map<String, String> attributes) {
    admin.createTopic(topic, queues, attributes);
  }

  /** All messages of a topic that the master keeps, queue by queue, in order. */
  public List<MessageExt> read(String topic) {
    return admin.read(topic);
  }

  /** Kills broker {@code i}, counted from 0, with SIGKILL. */
  public synchronized void kill(int i) {
    brokers.get(i).process().kill();
  }

  /** Ends broker {@code i}, counted from 0, in good order. */
  public synchronized void stopBroker(int i) {
    brokers.get(i).process().stop();
  }

  /**
   * Starts broker {@code i} on what it kept, if it does not run, and waits until all brokers that
   * run serve, and the slave follows its master.
   */
  public synchronized void startBroker(int i) {
    if (!brokers.get(i).process().isRunning()) {
      brokers.get(i).launch();
      awaitBrokers();
    }
  }

  /** Freezes broker {@code i}; its connections stay open and nothing answers. */
  public synchronized void pause(int i) {
    brokers.get(i).process().pause();
  }

  /** Ends {@link #pause(int)}. */
  public synchronized void resume(int i) {
    brokers.get(i).process().resume();
  }

  /** Kills the name server with SIGKILL. */
  public synchronized void killNameServer() {
    nameServer.kill();
  }

  /** Starts the name server, if it does not run, and waits until it knows the brokers again. */
  public synchronized void startNameServer() {
    if (!nameServer.isRunning()) {
      nameServer = launchNameServer();
      awaitNameServer();
      awaitBrokers();
    }
  }

  /** Freezes the name server. */
  public synchronized void pauseNameServer() {
    nameServer.pause();
  }

  /** Ends {@link #pauseNameServer()}. */
  public synchronized void resumeNameServer() {
    nameServer.resume();
  }

  /** Copies what the servers have written to their logs into a folder that exists. */
  public void saveLogs(Path into) {
    Commands.copy(RocketServers.log(folder, "namesrv"), into.resolve("rocketmq-namesrv.log"));
    brokers.forEach(
        node -> Commands.copy(node.log(), into.resolve("rocketmq-" + node.id() + ".log")));
  }

  /** Kills the servers and deletes what they kept. */
  @Override
  public synchronized void close() {
    admin.close();
    brokers.forEach(RocketNode::close);
    nameServerProxy.close();
    nameServer.close();
    ExitCleanup.delete(folder);
  }

  private Map<String, String> own(Map<String, String> settings, boolean slave) {
    Map<String, String> all = new HashMap<>();
    all.put("brokerClusterName", "twinbox");
    all.put("brokerName", BROKER_NAME);
    all.put("namesrvAddr", "127.0.0.1:" + nameServerPort);
    all.put("brokerRole", slave ? "SYNC_MASTER" : "ASYNC_MASTER");
    all.put("inSyncReplicas", slave ? "2" : "1");
    all.put("minInSyncReplicas", slave ? "2" : "1");
    all.putAll(settings);
    return all;
  }

  private JavaProcess launchNameServer() {
    return RocketServers.start(
        "org.apache.rocketmq.namesrv.NamesrvStartup",
        folder,
        "namesrv",
        Map.of("listenPort", Integer.toString(nameServerPort), "bindAddress", "127.0.0.1"));
  }

  private void awaitNameServer() {
    Commands.await(
        "Starting RocketMQ's name server",
        START_LIMIT,
        () -> {
          if (!nameServer.isRunning()) {
            throw new IllegalStateException(
                "RocketMQ's name server has ended: "
                    + Commands.tail(RocketServers.log(folder, "namesrv")));
          }
          return RocketNode.answers(nameServerPort);
        });
  }

  private void awaitBrokers() {
    brokers.stream().filter(node -> node.process().isRunning()).forEach(this::awaitService);
  }

  private void awaitService(RocketNode node) {
    Commands.await(
        "Starting RocketMQ's broker",
        START_LIMIT,
        () -> {
          if (!node.process().isRunning()) {
            throw new IllegalStateException("The broker has ended: " + Commands.tail(node.log()));
          }
          return RocketNode.answers(node.port())
              && admin.knows(BROKER_NAME, node.id())
              && (node.id() == 0 || admin.isReplicated(brokers.get(0).port()));
        });
  }
}
