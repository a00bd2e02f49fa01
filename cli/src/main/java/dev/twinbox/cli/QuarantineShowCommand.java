package dev.twinbox.cli;

import dev.twinbox.inbox.QuarantineSelection;
import dev.twinbox.inbox.QuarantinedMessage;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox quarantine show}. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    description = "Shows everything about the selected messages; their payloads only if asked.")
final class QuarantineShowCommand implements Runnable {
  private static final int AT_MOST = 100;

  @Mixin private ConnectionOptions connection = new ConnectionOptions();
  @Mixin private QuarantineOptions options = new QuarantineOptions();

  @Option(
      names = "--payload",
      description = "Show payloads too, which may be confidential: as text, or else in base64.")
  private boolean payload;

  @Option(names = "--json", description = "Print JSON; payloads in base64.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    QuarantineSelection selection = options.selection();
    if (selection.isEverything()) {
      throw new ParameterException(spec.commandLine(), "Say which, for example with --number N.");
    }
    QuarantineSelection some = selection.limit() == null ? selection.limit(AT_MOST) : selection;
    List<QuarantinedMessage> found =
        options.with(
            connection,
            quarantine -> {
              List<QuarantinedMessage> all = new ArrayList<>(quarantine.list(some));
              all.addAll(quarantine.listDiscarded(some));
              return payload
                  ? all.stream().flatMap(m -> quarantine.show(m.number()).stream()).toList()
                  : all;
            });
    if (found.isEmpty()) {
      throw new CommandException("Nothing of the kind lies in quarantine.");
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      Json.print(
          out,
          found.stream()
              .map(m -> payload ? QuarantineJson.withPayload(m) : QuarantineJson.message(m))
              .toList());
    } else {
      found.forEach(message -> print(message, out));
      out.flush();
    }
  }

  private void print(QuarantinedMessage message, PrintWriter out) {
    out.println();
    QuarantineJson.message(message)
        .forEach(
            (name, value) -> {
              if (value != null) {
                out.println("%-14s %s".formatted(name, value));
              }
            });
    if (payload) {
      out.println(
          "%-14s %s"
              .formatted(
                  "payload",
                  Objects.requireNonNullElse(Payloads.readable(message.payload()), "none")));
    }
  }
}
