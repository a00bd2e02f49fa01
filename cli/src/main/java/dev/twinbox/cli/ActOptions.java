package dev.twinbox.cli;

import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of commands that change set aside messages: a name, and a confirmation of how many. */
final class ActOptions {
  @Option(names = "--all", description = "Mean all of them.")
  private boolean all;

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it, for the audit; default is the user of this machine.")
  private String by = System.getProperty("user.name", "unknown");

  @Option(names = "--yes", description = "Do it, however many they are.")
  private boolean yes;

  @Option(names = "--count", paramLabel = "N", description = "Do it if they are exactly N.")
  private @Nullable Long count;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  /** Whether everything may be meant. */
  boolean all() {
    return all;
  }

  String by() {
    return by;
  }

  /** The act, which shows its progress. */
  Act act(@Nullable PaceOptions pace) {
    PrintWriter err = spec.commandLine().getErr();
    try {
      Act act = Act.by(by);
      act = count == null ? act : act.exactly(count);
      act = pace == null ? act : pace.of(act);
      return act.progress(
          (done, of, last) -> {
            err.println("%s of %s, up to number %s".formatted(done, of, last));
            err.flush();
          });
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), Explanation.of(e), e);
    }
  }

  /** Refuses what was not confirmed; the refusal says how many they are. */
  void checkConfirmed(SetAside setAside, Selection selection, String verb) {
    if (count == null && !yes) {
      long found = setAside.preview(selection).count();
      throw new CommandException(
          "This would %s %s messages. Nothing was done: repeat it with --count %s, or with --yes."
              .formatted(verb, found, found));
    }
  }

  /** Options of commands that send or handle messages again. */
  static final class PaceOptions {
    @Option(
        names = "--rate",
        paramLabel = "N",
        description = "At most N messages a second; 0.1 is one in ten seconds.")
    private @Nullable Double rate;

    @Option(
        names = "--beyond-horizon",
        description =
            "Also those that are older than the consumers' dedup records: nobody can say whether"
                + " they were processed.")
    private boolean beyondHorizon;

    Act of(Act act) {
      Act paced = rate == null ? act : act.perSecond(rate);
      return beyondHorizon ? paced.evenBeyondHorizon() : paced;
    }
  }
}
