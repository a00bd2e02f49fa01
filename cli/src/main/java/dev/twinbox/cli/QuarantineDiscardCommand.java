package dev.twinbox.cli;

import dev.twinbox.inbox.Quarantine;
import dev.twinbox.inbox.QuarantineSelection;
import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code twinbox quarantine discard}. */
@Command(
    name = "discard",
    mixinStandardHelpOptions = true,
    description =
        "Discards messages: they are left out everywhere, can be restored, and are deleted after"
            + " 30 days.")
final class QuarantineDiscardCommand implements Runnable {
  @Mixin private ConnectionOptions connection = new ConnectionOptions();
  @Mixin private QuarantineOptions options = new QuarantineOptions();
  @Mixin private QuarantineActOptions act = new QuarantineActOptions();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    long affected =
        options.with(
            connection,
            quarantine -> {
              QuarantineSelection selection =
                  act.confirmed(quarantine, options.selection(), Quarantine::count, "discard");
              return quarantine.discard(selection, act.by());
            });
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      Json.print(out, Map.of("discarded", affected));
    } else {
      out.println("%s messages were discarded.".formatted(affected));
      out.flush();
    }
  }
}
