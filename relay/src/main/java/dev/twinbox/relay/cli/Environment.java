package dev.twinbox.relay.cli;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Settings from variables: {@code TWINBOX_DB_URL} is {@code db.url}, {@code
 * TWINBOX_KAFKA_BOOTSTRAP_SERVERS} is {@code kafka.bootstrap.servers}. Brokers with names of their
 * own are for the file.
 */
final class Environment {
  private static final Map<String, String> PLAIN =
      Map.of(
          "TWINBOX_DB_URL", Settings.DB_URL,
          "TWINBOX_DB_USER", Settings.DB_USER,
          "TWINBOX_DB_PASSWORD", Settings.DB_PASSWORD,
          "TWINBOX_DB_PASSWORD_FILE", Settings.DB_PASSWORD_FILE,
          "TWINBOX_SCHEMA", Settings.SCHEMA);

  /** The testkit's: the address of a node's HTTP interface. */
  private static final String NOT_OURS = "TWINBOX_RABBITMQ_MANAGEMENT";

  private Environment() {}

  static Map<String, String> settings(Map<String, String> environment) {
    Map<String, String> settings = new TreeMap<>();
    environment.forEach(
        (variable, value) -> {
          String plain = PLAIN.get(variable);
          if (plain != null) {
            settings.put(plain, value);
          } else if (!variable.equals(NOT_OURS)
              && (variable.startsWith("TWINBOX_KAFKA_")
                  || variable.startsWith("TWINBOX_RABBITMQ_"))) {
            settings.put(
                variable.substring("TWINBOX_".length()).toLowerCase(Locale.ROOT).replace('_', '.'),
                value);
          }
        });
    return settings;
  }
}
