package dev.twinbox.cli;

import dev.twinbox.relay.deadletter.DeadLetterQueue.Progress;
import dev.twinbox.relay.store.DeadLetterFilter;
import java.io.PrintWriter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What commands want that change dead letters: a name, a deliberate selection, a confirmation. */
final class DeadLetterAct {
  @Option(names = "--all", description = "Mean every dead letter.")
  private boolean all;

  @Mixin private Confirmation confirmation = new Confirmation();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  String by() {
    return confirmation.by();
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
    confirmation.check(found, verb);
  }

  /** Shows each step of a long act. */
  Progress progress() {
    PrintWriter err = spec.commandLine().getErr();
    return (done, of) -> {
      err.println("%s of %s".formatted(done, of));
      err.flush();
    };
  }
}
