package dev.twinbox.cli;

import dev.twinbox.broker.BrokerKinds;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Settings from variables: {@code TWINBOX_DB_URL} is {@code db.url}, {@code
 * TWINBOX_KAFKA_BOOTSTRAP_SERVERS} is {@code kafka.bootstrap.servers}, {@code
 * TWINBOX_RETRY_MAX_ATTEMPTS} is {@code retry.max-attempts}. Brokers with names of their own and
 * policies of single destinations are for the file.
 */
final class Environment {
  private static final Map<String, String> PLAIN =
      Map.of(
          "TWINBOX_DB_URL", Settings.DB_URL,
          "TWINBOX_DB_USER", Settings.DB_USER,
          "TWINBOX_DB_PASSWORD", Settings.DB_PASSWORD,
          "TWINBOX_DB_PASSWORD_FILE", Settings.DB_PASSWORD_FILE,
          "TWINBOX_SCHEMA", Settings.SCHEMA);

  private static final String PREFIX = "TWINBOX_";
  private static final String RETRY = "TWINBOX_RETRY_";

  private Environment() {}

  static Map<String, String> settings(Map<String, String> environment) {
    Map<String, String> settings = new TreeMap<>();
    environment.forEach(
        (variable, value) -> {
          String plain = PLAIN.get(variable);
          if (plain != null) {
            settings.put(plain, value);
          } else if (isBrokers(variable)) {
            settings.put(
                variable.substring(PREFIX.length()).toLowerCase(Locale.ROOT).replace('_', '.'),
                value);
          } else if (variable.startsWith(RETRY)) {
            settings.put(retry(variable), value);
          }
        });
    return settings;
  }

  private static boolean isBrokers(String variable) {
    return BrokerKinds.all().stream()
        .map(kind -> PREFIX + kind.prefix().toUpperCase(Locale.ROOT) + "_")
        .anyMatch(variable::startsWith);
  }

  private static String retry(String variable) {
    String name =
        "retry." + variable.substring(RETRY.length()).toLowerCase(Locale.ROOT).replace('_', '-');
    if (!RetrySettings.isOne(name)) {
      throw new CommandException(
          "The variable %s is unknown. Known are %s with %s."
              .formatted(variable, RETRY, new TreeSet<>(RetrySettings.NAMES)));
    }
    return name;
  }
}
