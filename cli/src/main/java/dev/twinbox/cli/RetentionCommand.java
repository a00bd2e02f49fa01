package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.RetentionTimes;
import dev.twinbox.relay.store.RetentionTimes.Kept;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox retention}. */
@Command(
    name = "retention",
    mixinStandardHelpOptions = true,
    description = {
      "Shows for how long things are kept, or changes it: 12h, 7d, or off.",
      "Relays take it up by themselves within a minute."
    })
final class RetentionCommand implements Runnable {
  private static final Pattern TIME = Pattern.compile("([1-9][0-9]{0,5})([hd])");

  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it, for the audit; default is the user of this machine.")
  private String by = System.getProperty("user.name", "unknown");

  private final Map<Kept, @Nullable String> times = new EnumMap<>(Kept.class);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--archive",
      paramLabel = "TIME",
      description =
          "Published messages, for 'twinbox replay'; off, the default, keeps none. At least 1h.")
  void archive(String value) {
    set(Kept.ARCHIVE, value, true);
  }

  @Option(
      names = "--dead-letters",
      paramLabel = "TIME",
      description =
          "Dead letters that nobody has decided on: discarded then, unless they block their key."
              + " Default 180d; off keeps them for ever.")
  void deadLetters(String value) {
    set(Kept.DEAD_LETTERS, value, true);
  }

  @Option(
      names = "--discarded",
      paramLabel = "TIME",
      description = "Discarded dead letters, which can be restored until then. Default 30d.")
  void discarded(String value) {
    set(Kept.DISCARDED, value, false);
  }

  @Option(
      names = "--audit",
      paramLabel = "TIME",
      description = "Who did what. Default 365d, at least 24h; off keeps it for ever.")
  void audit(String value) {
    set(Kept.AUDIT, value, true);
  }

  @Option(
      names = "--dedup",
      paramLabel = "TIME",
      description =
          "Producers' dedup keys: within that time a key is enqueued once. Default 7d; off keeps"
              + " them for ever.")
  void dedup(String value) {
    set(Kept.DEDUP, value, true);
  }

  private void set(Kept kept, String value, boolean mayBeOff) {
    Matcher time = TIME.matcher(value);
    if (mayBeOff && value.equals("off")) {
      times.put(kept, null);
    } else if (time.matches()) {
      times.put(kept, time.group(1) + (time.group(2).equals("h") ? " hours" : " days"));
    } else {
      throw new ParameterException(
          spec.commandLine(),
          "--%s: '%s' is no time; write it as in 12h or 7d%s."
              .formatted(name(kept), value, mayBeOff ? ", or off" : ""));
    }
  }

  private static String name(Kept kept) {
    return kept.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public void run() {
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 1)) {
      RetentionTimes retention = new RetentionTimes(database, Tables.in(settings.schema()));
      if (!times.isEmpty()) {
        retention.set(times, by);
      }
      TextTable table = new TextTable("KEPT", "FOR");
      retention
          .read()
          .forEach((kept, time) -> table.row(name(kept), Objects.requireNonNullElse(time, "off")));
      PrintWriter out = spec.commandLine().getOut();
      table.print(out, "Nothing.");
      out.flush();
    } catch (SQLException e) {
      throw new CommandException("The retention: " + Explanation.of(e), e);
    }
  }
}
