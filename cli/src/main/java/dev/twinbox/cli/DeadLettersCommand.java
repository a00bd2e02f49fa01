package dev.twinbox.cli;

import dev.twinbox.cli.SetAsideActCommand.Doings;
import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.store.DeadLetterTable;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;

/** {@code twinbox dead-letters}. */
final class DeadLettersCommand {
  private static final SetAsidePlace<DeadLetterQueue> PLACE =
      new SetAsidePlace<>(
          "dead letters",
          "relay",
          "destination",
          DeadLetterTable.FILTERS,
          Map.of(),
          Set.of(),
          false,
          true,
          DeadLetterQueue::in);

  private DeadLettersCommand() {}

  static CommandLine create() {
    return SetAsideCommand.of(
        "dead-letters",
        "Messages that no broker would take: look at them, send them again, put them aside, bring"
            + " them back. Each change is recorded in the audit.",
        new SetAsideListCommand<>(PLACE)
            .named("list", "Lists dead letters, oldest first, at most 100."),
        new SetAsideShowCommand<>(PLACE).named("show", "Shows dead letters with their headers."),
        new SetAsideGroupCommand<>(PLACE)
            .named("group", "Counts dead letters by destination and cause."),
        new BlockedKeysCommand(PLACE)
            .named(
                "blocked",
                "Lists the keys whose messages wait behind a dead letter. Redrive or discard that"
                    + " one, and they go on in order."),
        new SetAsideActCommand<>(
                PLACE,
                new Doings<DeadLetterQueue>(
                    "redrive",
                    "%s messages are on their way again.",
                    true,
                    false,
                    DeadLetterQueue::redrive))
            .named(
                "redrive",
                "Sends dead letters again, with the same ids: consumers that have one ignore it."
                    + " Takes what matches when it starts, and nothing that is given up later; run"
                    + " again after an interruption, it does the rest.",
                "One that blocks its key goes before the messages behind it, any other behind what"
                    + " its key has by now."),
        new SetAsideActCommand<>(
                PLACE,
                new Doings<DeadLetterQueue>(
                    "discard",
                    "%s messages are put aside.",
                    false,
                    false,
                    DeadLetterQueue::discard))
            .named(
                "discard",
                "Puts dead letters aside. They are kept and can be restored; keys that they block"
                    + " are free."),
        new SetAsideActCommand<>(
                PLACE,
                new Doings<DeadLetterQueue>(
                    "restore",
                    "%s messages are dead letters again.",
                    false,
                    true,
                    DeadLetterQueue::restore))
            .named("restore", "Brings back dead letters that were put aside."),
        new SetAsideAuditCommand<>(PLACE).named("audit", "Shows who did what, newest first."));
  }
}
