package dev.twinbox.broker;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kinds of brokers on the class path, as the class loader of Twinbox sees it: whichever thread
 * asks first, the answer is the same. Thread-safe.
 */
public final class BrokerKinds {
  private static final Logger log = LoggerFactory.getLogger(BrokerKinds.class);

  /** So that a loader that fails each time comes to an end. */
  private static final int MOST_KINDS = 100;

  private static final Map<String, BrokerKind> BY_PREFIX = load();

  private BrokerKinds() {}

  /** All, by their prefix. */
  public static List<BrokerKind> all() {
    return List.copyOf(BY_PREFIX.values());
  }

  /**
   * The kind of a broker, a destination or an origin.
   *
   * @param text begins with the kind's prefix, as {@code kafka}, {@code kafka@billing}, {@code
   *     kafka:orders}
   * @return empty when the kind is not on the class path
   */
  public static Optional<BrokerKind> of(String text) {
    int end = 0;
    while (end < text.length() && text.charAt(end) != '@' && text.charAt(end) != ':') {
      end++;
    }
    return Optional.ofNullable(BY_PREFIX.get(text.substring(0, end)));
  }

  /** A kind that cannot be loaded must not keep a service from enqueuing to others. */
  private static Map<String, BrokerKind> load() {
    Map<String, BrokerKind> kinds = new TreeMap<>();
    Iterator<BrokerKind> found =
        ServiceLoader.load(BrokerKind.class, BrokerKind.class.getClassLoader()).iterator();
    for (int attempt = 0; attempt < MOST_KINDS; attempt++) {
      try {
        if (!found.hasNext()) {
          break;
        }
        BrokerKind kind = found.next();
        BrokerKind other = kinds.putIfAbsent(kind.prefix(), kind);
        if (other != null) {
          log.error(
              "Two kinds of brokers are called {}: {} is used, {} is not. Remove one of them.",
              kind.prefix(),
              other.getClass().getName(),
              kind.getClass().getName());
        }
      } catch (ServiceConfigurationError e) {
        log.error("A kind of broker cannot be loaded; its destinations are unknown", e);
      }
    }
    return kinds;
  }
}
