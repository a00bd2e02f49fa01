package dev.twinbox.cli;

import dev.twinbox.inbox.Quarantine;
import dev.twinbox.inbox.QuarantineSelection;
import dev.twinbox.inbox.QuarantinedMessage;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code twinbox quarantine list}. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    description = "Lists quarantined messages, the lowest numbers first, 100 unless --limit says.")
final class QuarantineListCommand implements Runnable {
  private static final int AT_MOST = 100;
  private static final int WIDEST = 60;

  @Mixin private ConnectionOptions connection = new ConnectionOptions();
  @Mixin private QuarantineOptions options = new QuarantineOptions();

  @Option(names = "--discarded", description = "List what was discarded and can be restored.")
  private boolean discarded;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    QuarantineSelection asked = options.selection();
    QuarantineSelection selection = asked.limit() == null ? asked.limit(AT_MOST) : asked;
    List<QuarantinedMessage> found =
        options.with(connection, quarantine -> read(quarantine, selection));
    if (json) {
      Json.print(out, found.stream().map(QuarantineJson::message).toList());
      return;
    }
    TextTable table =
        new TextTable(
            "NUMBER", "CONSUMER", "REASON", "ATTEMPTS", "SINCE", "TYPE", "ID", "KEY", "ERROR");
    for (QuarantinedMessage message : found) {
      table.row(
          message.number() + (message.redrive() == null ? "" : " (waits for a redrive)"),
          message.consumer(),
          message.reason(),
          message.attempts(),
          message.quarantinedAt(),
          Objects.requireNonNullElse(message.type(), "-"),
          Objects.requireNonNullElse(message.id(), "-"),
          Objects.requireNonNullElse(message.key(), "-"),
          firstLine(Objects.requireNonNullElse(message.error(), "-")));
    }
    table.print(out, "Nothing of the kind lies in quarantine.");
    out.flush();
  }

  private List<QuarantinedMessage> read(Quarantine quarantine, QuarantineSelection selection) {
    return discarded ? quarantine.listDiscarded(selection) : quarantine.list(selection);
  }

  static String firstLine(String text) {
    String line = text.lines().findFirst().orElse("");
    return line.length() <= WIDEST ? line : line.substring(0, WIDEST) + "…";
  }
}
