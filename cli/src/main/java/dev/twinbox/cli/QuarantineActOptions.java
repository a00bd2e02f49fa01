package dev.twinbox.cli;

import dev.twinbox.inbox.Quarantine;
import dev.twinbox.inbox.QuarantineSelection;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What commands want that change something: a deliberate selection, a name, and a confirmation. */
final class QuarantineActOptions {
  @Option(names = "--all", description = "Mean everything that lies in quarantine.")
  private boolean all;

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it, for the audit table; default is the user of this machine.")
  private String by = System.getProperty("user.name", "unknown");

  @Option(names = "--yes", description = "Do it, however many they are.")
  private boolean yes;

  @Option(names = "--count", paramLabel = "N", description = "Do it if they are exactly so many.")
  private @Nullable Long count;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  String by() {
    return by;
  }

  /**
   * The selection, confirmed.
   *
   * @param counting how many of it the command would take
   * @throws CommandException that names the count, when it is not confirmed
   */
  QuarantineSelection confirmed(
      Quarantine quarantine,
      QuarantineSelection selection,
      ToLongBiFunction<Quarantine, QuarantineSelection> counting,
      String what) {
    if (selection.isEverything() && !all) {
      throw new ParameterException(
          spec.commandLine(),
          "Say which: --number, --id, --consumer, --reason, --error, --before, --limit, or --all.");
    }
    if (count != null) {
      return selection.exactly(count);
    }
    if (yes) {
      return selection;
    }
    long found = counting.applyAsLong(quarantine, selection);
    throw new CommandException(
        "This would %s %s messages. Nothing was done: repeat it with --count %s, or with --yes."
            .formatted(what, found, found));
  }
}
