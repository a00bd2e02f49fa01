package dev.twinbox.cli;

import dev.twinbox.cli.SetAsideActCommand.Doings;
import dev.twinbox.inbox.Quarantine;
import dev.twinbox.inbox.QuarantineReason;
import dev.twinbox.setaside.Filter;
import java.util.EnumSet;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;

/** {@code twinbox quarantine}. */
final class QuarantineCommand {
  private static final SetAsidePlace<Quarantine> PLACE =
      new SetAsidePlace<>(
          "quarantined messages",
          "consumer",
          "consumer",
          EnumSet.allOf(Filter.class),
          Map.of(),
          Stream.of(QuarantineReason.values())
              .map(QuarantineReason::code)
              .collect(Collectors.toSet()),
          true,
          false,
          Quarantine::of);

  private QuarantineCommand() {}

  static CommandLine create() {
    return SetAsideCommand.of(
        "quarantine",
        "Messages that consumers gave up or refused: look at them, have them handled once more,"
            + " discard them, bring them back. Each change is recorded in the audit.",
        new SetAsideListCommand<>(PLACE)
            .named("list", "Lists quarantined messages, the lowest numbers first, at most 100."),
        new SetAsideShowCommand<>(PLACE)
            .named("show", "Shows everything about messages; their payloads only if asked."),
        new SetAsideGroupCommand<>(PLACE)
            .named(
                "group", "Counts messages by consumer and cause: reason, class of error, place."),
        new QuarantineRedriveCommand(PLACE)
            .named(
                "redrive",
                "Has the running consumers handle messages once more, in the order of their"
                    + " numbers, at most 50 a second unless --rate says. What fails comes back to"
                    + " quarantine with its new error. With --wait the exit code is 1 if any did."),
        new SetAsideActCommand<>(
                PLACE,
                new Doings<Quarantine>(
                    "discard", "%s messages were discarded.", false, false, Quarantine::discard))
            .named(
                "discard",
                "Discards messages: they are left out everywhere, can be restored, and are deleted"
                    + " after 30 days."),
        new SetAsideActCommand<>(
                PLACE,
                new Doings<Quarantine>(
                    "restore",
                    "%s messages are back in quarantine.",
                    false,
                    true,
                    Quarantine::restore))
            .named("restore", "Brings discarded messages back into quarantine."),
        new SetAsideActCommand<>(
                PLACE,
                new Doings<Quarantine>(
                    "let through up to",
                    "%s messages are let through at their next delivery.",
                    false,
                    false,
                    Quarantine::pass))
            .named(
                "pass",
                "Lets messages through that were given up or refused for their age: the next"
                    + " delivery by the broker is handled, once. For the others use redrive."),
        new SetAsideAuditCommand<>(PLACE).named("audit", "Shows who did what, newest first."));
  }
}
