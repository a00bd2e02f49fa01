package dev.twinbox.cli;

import dev.twinbox.cli.SetAsideActCommand.Doings;
import dev.twinbox.relay.scheduled.ScheduledMessages;
import dev.twinbox.relay.store.ScheduledTable;
import dev.twinbox.setaside.Filter;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;

/** {@code twinbox scheduled}. */
final class ScheduledCommand {
  private static final SetAsidePlace<ScheduledMessages> PLACE =
      new SetAsidePlace<>(
          "scheduled messages",
          "relay",
          "destination",
          ScheduledTable.FILTERS,
          Map.of("--due-before", Filter.BEFORE),
          Set.of(),
          false,
          true,
          ScheduledMessages::in);

  private ScheduledCommand() {}

  static CommandLine create() {
    return SetAsideCommand.of(
        "scheduled",
        "Messages that are not due yet: look at them, cancel them. Each cancellation is recorded in"
            + " the audit, which 'dead-letters audit' shows.",
        new SetAsideListCommand<>(PLACE)
            .named("list", "Lists messages that wait, those first that are due first."),
        new SetAsideShowCommand<>(PLACE).named("show", "Shows messages that wait, with headers."),
        new SetAsideActCommand<>(
                PLACE,
                new Doings<ScheduledMessages>(
                    "cancel",
                    "%s messages are cancelled.",
                    false,
                    false,
                    ScheduledMessages::cancel))
            .named(
                "cancel",
                "Cancels messages that wait: they are gone, and never published. Takes what matches"
                    + " when it starts, and nothing that is enqueued later; what becomes due"
                    + " meanwhile goes out."));
  }
}
