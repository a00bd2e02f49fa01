package dev.twinbox.cli;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every command that works on a database. */
final class ConnectionOptions {
  static final String NO_PASSWORD =
      "A password is not accepted on the command line, where other users of this machine can read"
          + " it. Use TWINBOX_DB_PASSWORD, TWINBOX_DB_PASSWORD_FILE, or db.password or"
          + " db.password-file in a --config FILE.";

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Properties: db.url, db.user, db.password or db.password-file, schema, and brokers'"
              + " client properties as in kafka.bootstrap.servers, kafka@billing.sasl.mechanism,"
              + " rabbitmq.uri, rabbitmq.management.uri, retry policies as in retry.max-attempts,"
              + " and rate limits as in rate.at.NAME.per-second. The environment goes before the"
              + " file, options go before both.")
  private @Nullable Path config;

  @Option(
      names = "--schema",
      paramLabel = "NAME",
      description = "Schema of Twinbox's tables (TWINBOX_SCHEMA), default twinbox.")
  private @Nullable String schema;

  @Option(
      names = "--db-user",
      paramLabel = "USER",
      description = "Role that connects (TWINBOX_DB_USER).")
  private @Nullable String user;

  @Option(
      names = "--db-password-file",
      paramLabel = "FILE",
      description =
          "File whose first line is the password (TWINBOX_DB_PASSWORD_FILE). The password itself is"
              + " taken from TWINBOX_DB_PASSWORD or the configuration file only.")
  private @Nullable Path passwordFile;

  private @Nullable String url;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--db-url",
      paramLabel = "URL",
      description = "jdbc:postgresql://host:port/database (TWINBOX_DB_URL).")
  void url(String value) {
    if (Secrets.areIn(value)) {
      throw new ParameterException(spec.commandLine(), "--db-url: " + NO_PASSWORD);
    }
    url = value;
  }

  /** Known, so that what follows it is not repeated in a complaint about an unknown option. */
  @Option(
      names = {"--password", "--db-password"},
      arity = "0..1",
      hidden = true)
  void password(String ignored) {
    throw new ParameterException(spec.commandLine(), NO_PASSWORD);
  }

  /** Everything that was configured, with what the command's own flags say. */
  Settings settings(Map<String, String> commandsFlags) {
    Map<String, String> flags = new HashMap<>(commandsFlags);
    put(flags, Settings.SCHEMA, schema);
    put(flags, Settings.DB_URL, url);
    put(flags, Settings.DB_USER, user);
    put(flags, Settings.DB_PASSWORD_FILE, passwordFile);
    Map<String, String> environment = System.getenv();
    String configured = environment.get("TWINBOX_CONFIG");
    Path file = config != null || configured == null ? config : Path.of(configured);
    return Settings.of(flags, environment, file);
  }

  /** The same without further flags. */
  Settings settings() {
    return settings(Map.of());
  }

  static void put(Map<String, String> flags, String name, @Nullable Object value) {
    if (value != null) {
      flags.put(name, value.toString());
    }
  }
}
