package dev.twinbox.cli;

import dev.twinbox.cli.SetAsideActCommand.Doings;
import dev.twinbox.relay.archive.Archive;
import dev.twinbox.relay.store.ScheduledTable;
import dev.twinbox.setaside.Filter;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;

/** {@code twinbox replay}. */
final class ReplayCommand {
  private static final SetAsidePlace<Archive> PLACE =
      new SetAsidePlace<>(
          "archived messages",
          "relay",
          "destination",
          ScheduledTable.FILTERS,
          Map.of("--to", Filter.BEFORE, "--beyond-position", Filter.BEYOND),
          Set.of(),
          false,
          true,
          Archive::in);

  private ReplayCommand() {}

  static CommandLine create() {
    Doings<Archive> replay =
        new Doings<>("replay", "%s messages are on their way again.", true, false, Archive::replay);
    return new SetAsideActCommand<>(PLACE, replay)
        .hinting(
            archive ->
                archive.isKept()
                    ? ""
                    : "No archive is kept, so only what was published last can be replayed."
                        + " 'twinbox retention --archive 7d' keeps what is published from then on.")
        .named(
            "replay",
            "Publishes messages once more that were published before, with their own ids and in"
                + " their old order: from the archive (see 'twinbox retention'), and those"
                + " published last. Their numbers are their positions.",
            "Consumers that have processed them ignore them; one that was registered later"
                + " processes them.");
  }
}
