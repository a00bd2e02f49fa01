package dev.twinbox.spring.inbox;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.InboxTransaction;
import dev.twinbox.inbox.TypedHandlers;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All listeners of one consumer as one handler: by source, then by type. One handler, because what
 * an operator redrives comes to any of the consumer's threads.
 */
final class ListenerDispatch implements Handler {
  private final Map<ListenerSource, Types> sources = new LinkedHashMap<>();
  private final Handler nobody = TypedHandlers.builder().build();

  /** The listeners of one source. */
  private static final class Types {
    final Map<String, ListenerMethod> byType = new LinkedHashMap<>();
    @Nullable ListenerMethod others;
  }

  /**
   * @param types none for all that have no listener
   * @throws IllegalArgumentException when one of them has a listener already
   */
  void add(List<ListenerSource> from, List<String> types, ListenerMethod method) {
    for (ListenerSource source : from) {
      Types listeners = sources.computeIfAbsent(source, any -> new Types());
      if (types.isEmpty()) {
        refuseSecond(source, "all other types", listeners.others);
        listeners.others = method;
      }
      for (String type : types) {
        refuseSecond(source, "'" + type + "'", listeners.byType.put(type, method));
      }
    }
  }

  private static void refuseSecond(
      ListenerSource source, String types, @Nullable ListenerMethod first) {
    if (first != null) {
      throw new IllegalArgumentException(
          "%s of %s has a listener already, %s. Give one of the two another consumer, or call both from one."
              .formatted(types, source.name(), first));
    }
  }

  /** Names of topics or queues. */
  Set<String> of(String broker) {
    Set<String> names = new LinkedHashSet<>();
    sources.keySet().stream()
        .filter(source -> source.broker().equals(broker))
        .forEach(source -> names.add(source.name()));
    return names;
  }

  /** Which brokers messages come from. */
  Set<String> brokers() {
    Set<String> brokers = new LinkedHashSet<>();
    sources.keySet().forEach(source -> brokers.add(source.broker()));
    return brokers;
  }

  @Override
  public void handle(Delivery delivery, InboxTransaction work) throws Exception {
    Handler handler = find(delivery);
    (handler == null ? nobody : handler).handle(delivery, work);
  }

  private @Nullable Handler find(Delivery delivery) {
    ListenerSource from = null;
    for (ListenerSource source : sources.keySet()) {
      // A queue's name may be the beginning of another's.
      if (source.isOf(delivery)
          && (from == null || source.name().length() > from.name().length())) {
        from = source;
      }
    }
    Types listeners = from == null ? null : sources.get(from);
    if (listeners == null) {
      return null;
    }
    String type = delivery.type();
    ListenerMethod own = type == null ? null : listeners.byType.get(type);
    return own != null ? own : listeners.others;
  }
}
