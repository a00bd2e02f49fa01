package dev.twinbox.cli;

import dev.twinbox.broker.BrokerKind;
import dev.twinbox.broker.BrokerKinds;
import dev.twinbox.relay.drain.RateLimits;
import dev.twinbox.relay.drain.RetryPolicies;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What was configured, whoever said it: a flag goes before the environment, the environment before
 * the file. Immutable; its text form shows names only, as values may be secrets.
 */
final class Settings {
  static final String DB_URL = "db.url";
  static final String DB_USER = "db.user";
  static final String DB_PASSWORD = "db.password";
  static final String DB_PASSWORD_FILE = "db.password-file";
  static final String SCHEMA = "schema";

  private static final Set<String> PLAIN =
      Set.of(DB_URL, DB_USER, DB_PASSWORD, DB_PASSWORD_FILE, SCHEMA);
  private static final Pattern OURS =
      Pattern.compile(
          Stream.concat(
                  Stream.of("db", "retry", "rate", "schema"),
                  BrokerKinds.all().stream().map(BrokerKind::prefix))
              .collect(Collectors.joining("|", "(?:", ")(?![\\p{L}\\d])")));

  private final Map<String, String> values;

  private Settings(Map<String, String> values) {
    this.values = values;
  }

  /**
   * @param flags what the command line says
   * @param environment all variables of the process
   * @param file a properties file, or null
   */
  static Settings of(
      Map<String, String> flags, Map<String, String> environment, @Nullable Path file) {
    Map<String, String> merged = new TreeMap<>();
    if (file != null) {
      merged.putAll(read(file));
    }
    merged.putAll(Environment.settings(environment));
    merged.putAll(flags);
    // The one that is nearer wins, not the one that has the other name.
    if (has(flags, environment, DB_PASSWORD_FILE) && !has(flags, environment, DB_PASSWORD)) {
      merged.remove(DB_PASSWORD);
    }
    return new Settings(merged);
  }

  @Nullable String get(String name) {
    return values.get(name);
  }

  /** The name of the schema. */
  String schema() {
    return values.getOrDefault(SCHEMA, "twinbox");
  }

  /** The client's properties of each configured broker, by the broker's name. */
  Map<String, Map<String, String>> brokers() {
    Map<String, Map<String, String>> brokers = new TreeMap<>();
    values.forEach(
        (name, value) -> {
          if (isBrokers(name)) {
            int dot = name.indexOf('.');
            brokers
                .computeIfAbsent(name.substring(0, dot), broker -> new TreeMap<>())
                .put(name.substring(dot + 1), value);
          }
        });
    return brokers;
  }

  /** How often and for how long the relay tries, by destination. */
  RetryPolicies retries() {
    return RetrySettings.policies(values);
  }

  /** How many messages a second go out at most, by destination. */
  RateLimits rateLimits() {
    return RateSettings.limits(values);
  }

  @Override
  public String toString() {
    return "Settings" + values.keySet();
  }

  private static boolean has(
      Map<String, String> flags, Map<String, String> environment, String name) {
    return flags.containsKey(name) || Environment.settings(environment).containsKey(name);
  }

  private static Map<String, String> read(Path file) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (IOException | IllegalArgumentException e) {
      // Neither message shows the contents, but a cause's could.
      throw new CommandException(
          "The configuration file %s cannot be read (%s)."
              .formatted(file, e.getClass().getSimpleName()));
    }
    Map<String, String> settings = new TreeMap<>();
    for (String name : properties.stringPropertyNames()) {
      if (!PLAIN.contains(name)
          && !isBrokers(name)
          && !RetrySettings.isOne(name)
          && !RateSettings.isOne(name)) {
        throw new CommandException(
            ("The configuration file %s has %s. Known are %s, a broker's client properties as in"
                    + " %s or with the name of one among several as in kafka@billing.acks, retry"
                    + " policies as in retry.max-attempts, and rate limits as in"
                    + " rate.at.NAME.per-second.")
                .formatted(
                    file,
                    unknown(name),
                    String.join(", ", new TreeSet<>(PLAIN)),
                    Brokers.addresses(BrokerKinds.all(), Brokers::key, ", ")));
      }
      settings.put(name, properties.getProperty(name).strip());
    }
    return settings;
  }

  /** What begins like none of ours may be a secret: of a file of another kind, for example. */
  private static String unknown(String name) {
    return OURS.matcher(name).lookingAt()
        ? "the unknown key '%s'".formatted(name)
        : "a key that begins like none of Twinbox's";
  }

  private static boolean isBrokers(String name) {
    int dot = name.indexOf('.');
    return dot > 0 && dot < name.length() - 1 && Brokers.isName(name.substring(0, dot));
  }
}
