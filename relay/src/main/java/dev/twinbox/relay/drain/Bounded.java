package dev.twinbox.relay.drain;

import java.util.LinkedHashMap;
import java.util.Map;

/** Maps by what has no end, such as routing keys: they forget what was not asked for longest. */
final class Bounded {
  private Bounded() {}

  /** A map of so many entries at most; not thread-safe. */
  static <K, V> Map<K, V> map(int most) {
    return new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > most;
      }
    };
  }
}
