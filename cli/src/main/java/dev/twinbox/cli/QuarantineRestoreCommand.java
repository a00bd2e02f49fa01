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

/** {@code twinbox quarantine restore}. */
@Command(
    name = "restore",
    mixinStandardHelpOptions = true,
    description = "Brings discarded messages back into quarantine.")
final class QuarantineRestoreCommand implements Runnable {
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
                  act.confirmed(
                      quarantine, options.selection(), Quarantine::countDiscarded, "restore");
              return quarantine.restore(selection, act.by());
            });
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      Json.print(out, Map.of("restored", affected));
    } else {
      out.println("%s messages are back in quarantine.".formatted(affected));
      out.flush();
    }
  }
}
