package dev.twinbox.postgres;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Parts that several statements have in common, by name: <code>${name}</code> in a text stands for
 * the part. Immutable.
 */
public final class SqlParts {
  private static final Pattern PART = Pattern.compile("\\$\\{([a-z_]+)}");

  private final Map<String, String> parts;

  private SqlParts(Map<String, String> parts) {
    this.parts = Map.copyOf(parts);
  }

  /** No parts, to begin with. */
  public static SqlParts none() {
    return new SqlParts(Map.of());
  }

  /** These parts and one more, which may be made of the ones before. */
  public SqlParts with(String name, String part) {
    Map<String, String> more = new HashMap<>(parts);
    if (more.put(name, in(part)) != null) {
      throw new IllegalArgumentException("The part '" + name + "' is there already.");
    }
    return new SqlParts(more);
  }

  /**
   * The text with its parts.
   *
   * @throws IllegalArgumentException when it names one that is not there
   */
  public String in(String text) {
    return PART.matcher(text)
        .replaceAll(
            match -> {
              String part = parts.get(match.group(1));
              if (part == null) {
                throw new IllegalArgumentException("No part '" + match.group(1) + "' for: " + text);
              }
              return Matcher.quoteReplacement(part);
            });
  }
}
