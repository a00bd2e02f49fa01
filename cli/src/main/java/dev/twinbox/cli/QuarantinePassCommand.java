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

/** {@code twinbox quarantine pass}. */
@Command(
    name = "pass",
    mixinStandardHelpOptions = true,
    description =
        "Lets messages through that were given up or refused for their age: the next delivery by"
            + " the broker is handled, once. For the others use redrive.")
final class QuarantinePassCommand implements Runnable {
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
                      quarantine, options.selection(), Quarantine::count, "let through up to");
              return quarantine.pass(selection, act.by());
            });
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      Json.print(out, Map.of("passed", affected));
    } else {
      out.println("%s messages are let through at their next delivery.".formatted(affected));
      out.flush();
    }
  }
}
