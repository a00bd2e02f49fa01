package dev.twinbox.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One broker of a {@link TestRocket}: its ports, its folder and its process. */
final class RocketNode implements AutoCloseable {
  /** Where clients are told to come; a proxy listens there. */
  private static final String ADDRESS_FOR_CLIENTS = "127.0.0.2";

  private final Path folder;
  private final int id;
  private final int port;
  private final FaultProxy proxy;
  private final Map<String, String> settings = new HashMap<>();
  private @Nullable JavaProcess process;

  /**
   * @param id 0 for the master
   */
  RocketNode(Path folder, int id, Map<String, String> given) {
    this.folder = folder;
    this.id = id;
    port = portWithTwoBelow();
    proxy = FaultProxy.onSamePort(ADDRESS_FOR_CLIENTS, port);
    settings.put("brokerId", Integer.toString(id));
    settings.put("listenPort", Integer.toString(port));
    settings.put("haListenPort", Integer.toString(port - 1));
    settings.put("bindAddress", "127.0.0.1");
    settings.put("brokerIP1", ADDRESS_FOR_CLIENTS);
    settings.put("brokerIP2", "127.0.0.1");
    settings.put("storePathRootDir", folder.resolve("store").toString());
    settings.put("storePathCommitLog", folder.resolve("store/commitlog").toString());
    settings.put("flushDiskType", "SYNC_FLUSH");
    settings.put("autoCreateTopicEnable", "false");
    // Sized for a test; and a test machine's disk may be as full as it likes.
    settings.put("mappedFileSizeCommitLog", "33554432");
    settings.put("mappedFileSizeConsumeQueue", "400000");
    settings.put("maxHashSlotNum", "10000");
    settings.put("maxIndexNum", "40000");
    settings.put("timerWheelEnable", "false");
    settings.put("diskMaxUsedSpaceRatio", "99");
    // A machine that is busy with tests is no reason to refuse messages.
    settings.put("waitTimeMillsInSendQueue", "5000");
    settings.put("syncFlushTimeout", "20000");
    settings.put("osPageCacheBusyTimeOutMills", "10000");
    settings.putAll(given);
  }

  int id() {
    return id;
  }

  int port() {
    return port;
  }

  FaultProxy proxy() {
    return proxy;
  }

  Path log() {
    return RocketServers.log(folder, "broker");
  }

  void launch() {
    process =
        RocketServers.start("org.apache.rocketmq.broker.BrokerStartup", folder, "broker", settings);
  }

  JavaProcess process() {
    JavaProcess present = process;
    if (present == null) {
      throw new IllegalStateException("Broker " + id + " was never started");
    }
    return present;
  }

  static boolean answers(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    proxy.close();
    if (process != null) {
      process.close();
    }
  }

  /** A broker also listens two ports below its own. */
  private static int portWithTwoBelow() {
    while (true) {
      int lowest = Ports.OF_THIS_JVM.free();
      Ports.OF_THIS_JVM.free();
      int port = Ports.OF_THIS_JVM.free();
      if (port == lowest + 2) {
        return port;
      }
    }
  }
}
