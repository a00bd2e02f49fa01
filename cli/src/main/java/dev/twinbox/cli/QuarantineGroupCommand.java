package dev.twinbox.cli;

import dev.twinbox.inbox.QuarantineCause;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code twinbox quarantine group}. */
@Command(
    name = "group",
    mixinStandardHelpOptions = true,
    description = "Counts quarantined messages by consumer, reason and kind of error.")
final class QuarantineGroupCommand implements Runnable {
  @Mixin private ConnectionOptions connection = new ConnectionOptions();
  @Mixin private QuarantineOptions options = new QuarantineOptions();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    List<QuarantineCause> causes =
        options.with(connection, quarantine -> quarantine.group(options.selection()));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      Json.print(out, causes.stream().map(QuarantineJson::cause).toList());
      return;
    }
    TextTable table = new TextTable("CONSUMER", "REASON", "ERROR", "COUNT", "OLDEST", "NEWEST");
    causes.forEach(
        c ->
            table.row(
                c.consumer(),
                c.reason(),
                c.error().isEmpty() ? "-" : c.error(),
                c.count(),
                c.oldest(),
                c.newest()));
    table.print(out, "Nothing of the kind lies in quarantine.");
    out.flush();
  }
}
