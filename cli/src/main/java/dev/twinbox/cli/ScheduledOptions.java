package dev.twinbox.cli;

import dev.twinbox.relay.store.ScheduledFilter;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which waiting messages the commands mean. */
final class ScheduledOptions {
  @Option(
      names = "--id",
      paramLabel = "ID",
      split = ",",
      description = "Those with these message ids.")
  private List<UUID> ids = new ArrayList<>();

  @Option(
      names = "--destination",
      paramLabel = "DESTINATION",
      description = "Only those to this destination, as in kafka:orders.")
  private @Nullable String destination;

  @Option(names = "--key", paramLabel = "KEY", description = "Only those with this key.")
  private @Nullable String key;

  private @Nullable Instant dueBefore;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--due-before",
      paramLabel = "TIME",
      description = "Only those due before then, as in 2026-11-22T07:00:00Z.")
  void dueBefore(String value) {
    try {
      dueBefore = OffsetDateTime.parse(value).toInstant();
    } catch (DateTimeParseException e) {
      throw new ParameterException(
          spec.commandLine(),
          "--due-before is no time with an offset; write it as in 2026-11-22T07:00:00Z.",
          e);
    }
  }

  ScheduledFilter filter() {
    return new ScheduledFilter(ids, destination, key, dueBefore);
  }
}
