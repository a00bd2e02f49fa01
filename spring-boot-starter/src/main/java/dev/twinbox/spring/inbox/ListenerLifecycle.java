package dev.twinbox.spring.inbox;

import dev.twinbox.inbox.Inbox;
import dev.twinbox.spring.ConsumerSource;
import dev.twinbox.spring.ListenerConsumer;
import dev.twinbox.spring.lifecycle.KeepAlive;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.context.SmartLifecycle;

/**
 * The consumers of this service's listeners: begin last, after topics and queues were declared, and
 * end first, all at once. Thread-safe.
 */
public final class ListenerLifecycle implements SmartLifecycle, SmartInitializingSingleton {
  /**
   * As Spring's own listener containers: the last to start, and at the stop before web server and
   * relay.
   */
  public static final int PHASE = DEFAULT_PHASE - 100;

  private static final Logger log = LoggerFactory.getLogger(ListenerLifecycle.class);

  private final ListenerRegistry registry;
  private final Inboxes inboxes;
  private final Map<String, ConsumerSource> brokers;
  private final KeepAlive keepAlive = new KeepAlive("twinbox-inbox-keep-alive");
  private Map<String, ListenerDispatch> listeners = Map.of();
  private List<ListenerConsumer> running = List.of();

  /**
   * @param brokers of which the first of a name counts
   */
  public ListenerLifecycle(
      ListenerRegistry registry, Inboxes inboxes, List<ConsumerSource> brokers) {
    this.registry = registry;
    this.inboxes = inboxes;
    this.brokers =
        brokers.stream()
            .collect(
                Collectors.toMap(
                    ConsumerSource::broker, Function.identity(), (first, second) -> first));
  }

  @Override
  public synchronized void afterSingletonsInstantiated() {
    listeners = registry.find();
  }

  @Override
  public synchronized void start() {
    if (isRunning() || listeners.isEmpty()) {
      return;
    }
    List<ListenerConsumer> starting = new ArrayList<>();
    try {
      listeners.forEach((consumer, dispatch) -> starting.addAll(consumers(consumer, dispatch)));
      starting.forEach(ListenerConsumer::start);
    } catch (RuntimeException | Error e) {
      starting.forEach(ListenerConsumer::close);
      throw e;
    }
    running = List.copyOf(starting);
    keepAlive.begin();
  }

  private List<ListenerConsumer> consumers(String consumer, ListenerDispatch dispatch) {
    Inbox inbox = inboxes.of(consumer);
    List<ListenerConsumer> made = new ArrayList<>();
    for (String broker : dispatch.brokers()) {
      ConsumerSource source = brokers.get(broker);
      Set<String> names = dispatch.of(broker);
      if (source == null) {
        throw new IllegalStateException(
            "Consumer %s listens to %s of %s, which this service does not know. Add Spring Boot's module of it and Twinbox's."
                .formatted(consumer, names, broker));
      }
      made.addAll(source.consumers(inbox, dispatch, names));
    }
    return made;
  }

  @Override
  public synchronized void stop() {
    List<ListenerConsumer> stopping = running;
    running = List.of();
    keepAlive.end();
    List<Thread> closing = new ArrayList<>();
    for (ListenerConsumer consumer : stopping) {
      Thread thread = new Thread(() -> close(consumer), "twinbox-inbox-stop");
      closing.add(thread);
      thread.start();
    }
    try {
      for (Thread thread : closing) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(ListenerConsumer consumer) {
    try {
      consumer.close();
    } catch (RuntimeException | Error e) {
      log.warn("A consumer did not stop well", e);
    }
  }

  /** What keeps the listeners from working; none where there are none. */
  public synchronized List<String> problems() {
    return listeners.isEmpty() || isRunning()
        ? List.of()
        : List.of("The consumers %s are not running.".formatted(listeners.keySet()));
  }

  @Override
  public synchronized boolean isRunning() {
    return !running.isEmpty();
  }

  @Override
  public int getPhase() {
    return PHASE;
  }
}
