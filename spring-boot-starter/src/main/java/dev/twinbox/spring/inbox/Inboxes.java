package dev.twinbox.spring.inbox;

import dev.twinbox.inbox.Inbox;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** The inboxes of this service, one for each consumer's name. Thread-safe. */
public final class Inboxes {
  private final Function<String, Inbox> making;
  private final Map<String, Inbox> byConsumer = new ConcurrentHashMap<>();

  /**
   * @param making makes the inbox of a consumer
   */
  public Inboxes(Function<String, Inbox> making) {
    this.making = making;
  }

  /** The inbox of a consumer; always the same. */
  public Inbox of(String consumer) {
    return byConsumer.computeIfAbsent(consumer, making);
  }

  /** Those that were asked for. */
  public Map<String, Inbox> all() {
    return Map.copyOf(byConsumer);
  }
}
