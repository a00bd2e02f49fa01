package dev.twinbox.relay.cli;

import dev.twinbox.relay.deadletter.DeadLetterQueue.Progress;
import dev.twinbox.relay.store.DeadLetterFilter;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What commands want that change dead letters: a name, a deliberate selection, a confirmation. */
final class DeadLetterAct {
  @Option(names = "--all", description = "Mean every dead letter.")
  private boolean all;

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it, for the audit; default is the user of this machine.")
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

  /** Refuses a command that names no dead letters at all. */
  void checkDeliberate(DeadLetterFilter filter) {
    if (filter.equals(DeadLetterFilter.ALL) && !all) {
      throw new ParameterException(
          spec.commandLine(),
          "Say which: --number, --id, --destination, --reason, --key, --before, or --all.");
    }
  }

  /** Refuses what was not confirmed; the refusal says how many they are. */
  void checkConfirmed(long found, String verb) {
    Long expected = count;
    if (expected != null && expected != found) {
      throw new CommandException(
          "There are %d messages to %s, not %d. Nothing was done."
              .formatted(found, verb, expected));
    }
    if (expected == null && !yes) {
      throw new CommandException(
          "This would %s %d messages. Nothing was done: repeat it with --count %d, or with --yes."
              .formatted(verb, found, found));
    }
  }

  /** Shows each step of a long act. */
  Progress progress() {
    PrintWriter err = spec.commandLine().getErr();
    return (done, of) -> {
      err.println("%d of %d".formatted(done, of));
      err.flush();
    };
  }
}
