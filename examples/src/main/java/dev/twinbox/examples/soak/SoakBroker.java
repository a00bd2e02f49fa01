package dev.twinbox.examples.soak;

import dev.twinbox.testkit.FaultProxy;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/** What the soak asks of a broker that it has started. Closing it ends all nodes. */
interface SoakBroker extends AutoCloseable {
  /**
   * A message that the broker holds.
   *
   * @param id the message
   * @param at when it was published, or a time before that as near as can be told
   * @param place where it lies, for people
   */
  record Entry(UUID id, Instant at, String place) {}

  /** Where producers send to. */
  String destination();

  /** The name of the broker's lanes. */
  String lanes();

  /** A relay's settings, by way of proxies of its own. */
  Map<String, String> relayEnvironment(String process);

  /** What a consumer has to be told, by way of proxies of its own. */
  Map<String, String> consumerValues(String process);

  /** The proxies between a relay or consumer and the nodes. */
  List<FaultProxy> proxies(String process);

  int nodes();

  void kill(int node);

  /** Starts a killed node and waits until it serves. */
  void restart(int node);

  void pause(int node);

  void resume(int node);

  /** Has the broker block those who publish, until {@link #clearAlarm}. */
  void raiseAlarm();

  void clearAlarm();

  /** How many deliveries the consumers have not acknowledged yet. */
  long unacknowledged();

  /** How many deliveries the broker itself has put aside. */
  long setAside();

  /** Reads everything that was ever published, in its order. */
  void read(Consumer<Entry> reader);

  void saveLogs(Path folder);

  @Override
  void close();
}
