package dev.twinbox.examples.soak;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * What a producer or consumer process is told, by environment variables.
 *
 * @param name what it is called
 * @param databaseUrl its way to the database
 * @param role its role there
 * @param values everything else, by name
 */
record Assignment(String name, String databaseUrl, String role, Map<String, String> values) {
  private static final String PREFIX = "SOAK_";

  Assignment {
    values = Map.copyOf(values);
  }

  static Assignment fromEnvironment() {
    Map<String, String> values = new HashMap<>();
    System.getenv()
        .forEach(
            (variable, value) -> {
              if (variable.startsWith(PREFIX)) {
                values.put(variable.substring(PREFIX.length()), value);
              }
            });
    return new Assignment(
        Objects.requireNonNull(values.remove("NAME")),
        Objects.requireNonNull(values.remove("DATABASE")),
        Objects.requireNonNull(values.remove("ROLE")),
        values);
  }

  Map<String, String> toEnvironment() {
    Map<String, String> environment = new HashMap<>();
    values.forEach((key, value) -> environment.put(PREFIX + key, value));
    environment.put(PREFIX + "NAME", name);
    environment.put(PREFIX + "DATABASE", databaseUrl);
    environment.put(PREFIX + "ROLE", role);
    return environment;
  }

  String get(String key) {
    return Objects.requireNonNull(values.get(key), key);
  }

  long number(String key) {
    return Long.parseLong(get(key));
  }
}
