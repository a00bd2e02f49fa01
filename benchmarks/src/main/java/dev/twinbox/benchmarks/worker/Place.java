package dev.twinbox.benchmarks.worker;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where a worker finds its servers and what it is to do: names and values on its command line.
 * Immutable.
 *
 * @param values by name
 */
public record Place(Map<String, String> values) {
  public Place {
    values = Map.copyOf(values);
  }

  /** What {@link #words} wrote. */
  static Place parse(List<String> words) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      values.put(word.substring(0, equals), word.substring(equals + 1));
    }
    return new Place(values);
  }

  List<String> words() {
    List<String> words = new ArrayList<>();
    values.forEach((name, value) -> words.add(name + "=" + value));
    return words;
  }

  /** One value, which must be there. */
  public String get(String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("The worker was not told its " + name + ".");
    }
    return value;
  }

  /** One value, or the other when it was not given. */
  public String get(String name, String otherwise) {
    return values.getOrDefault(name, otherwise);
  }

  /** One value as a number. */
  public int number(String name) {
    return Integer.parseInt(get(name));
  }

  /** The same place with one more value. */
  public Place with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(values);
    more.put(name, value);
    return new Place(more);
  }
}
