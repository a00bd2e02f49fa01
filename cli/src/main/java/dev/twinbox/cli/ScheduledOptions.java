package dev.twinbox.cli;

import dev.twinbox.relay.store.ScheduledFilter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

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

  @Option(
      names = "--due-before",
      paramLabel = "TIME",
      converter = InstantConverter.class,
      description = "Only those due before then, as in 2026-11-22T07:00:00Z.")
  private @Nullable Instant dueBefore;

  ScheduledFilter filter() {
    return new ScheduledFilter(ids, destination, key, dueBefore);
  }
}
