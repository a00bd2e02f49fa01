package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.Quarantine;
import dev.twinbox.inbox.QuarantineReason;
import dev.twinbox.inbox.QuarantineSelection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which messages the commands on quarantine mean. */
final class QuarantineOptions {
  @Option(
      names = "--number",
      paramLabel = "N",
      split = ",",
      description = "The messages with these numbers, as 'list' shows them.")
  private List<Long> numbers = new ArrayList<>();

  @Option(
      names = "--id",
      paramLabel = "ID",
      split = ",",
      description = "The messages with these ids.")
  private List<String> ids = new ArrayList<>();

  @Option(names = "--consumer", paramLabel = "NAME", description = "Of this consumer only.")
  private @Nullable String consumer;

  @Option(
      names = "--error",
      paramLabel = "CLASS",
      description = "With this kind of error only, as 'group' shows it.")
  private @Nullable String error;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "At most so many, the lowest numbers first.")
  private @Nullable Long limit;

  private @Nullable QuarantineReason reason;

  @Option(
      names = "--before",
      paramLabel = "TIME",
      converter = InstantConverter.class,
      description = "Quarantined before then only, as in 2026-11-22T07:00:00Z.")
  private @Nullable Instant before;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--reason",
      paramLabel = "REASON",
      description = "With this reason only, as unknown-type or attempts-exhausted.")
  void reason(String value) {
    reason =
        Arrays.stream(QuarantineReason.values())
            .filter(known -> known.code().equals(value.toLowerCase(Locale.ROOT)))
            .findFirst()
            .orElseThrow(() -> new ParameterException(spec.commandLine(), noReason()));
  }

  /** What was selected, possibly everything. */
  QuarantineSelection selection() {
    if (limit != null && limit < 1) {
      throw new ParameterException(
          spec.commandLine(), "--limit is %s; choose at least 1.".formatted(limit));
    }
    QuarantineSelection selection = QuarantineSelection.numbers(numbers).ids(ids);
    selection = consumer == null ? selection : selection.consumer(consumer);
    selection = reason == null ? selection : selection.reason(reason);
    selection = error == null ? selection : selection.error(error);
    selection = before == null ? selection : selection.before(before);
    return limit == null ? selection : selection.limit(limit);
  }

  /** Runs with a connection, and explains what the database says. */
  <T> T with(ConnectionOptions connection, Function<Quarantine, T> work) {
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 1)) {
      return work.apply(Quarantine.of(database, settings.schema()));
    } catch (DatabaseUnavailableException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new CommandException(
          "The quarantine of schema %s is not accessible: %s. The tables have to exist, and the role needs what 'twinbox grant --consumer ROLE' gives."
              .formatted(settings.schema(), Explanation.of(cause)),
          e);
    }
  }

  private static String noReason() {
    return "--reason is none of "
        + Arrays.stream(QuarantineReason.values())
            .map(QuarantineReason::code)
            .collect(Collectors.joining(", "))
        + ".";
  }
}
