package dev.twinbox.cli;

import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command of one place, which has subcommands only. */
@Command(mixinStandardHelpOptions = true, synopsisSubcommandLabel = "COMMAND")
final class SetAsideCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  private SetAsideCommand() {}

  static CommandLine of(String name, String description, CommandLine... subcommands) {
    CommandLine command = new CommandLine(new SetAsideCommand());
    command.getCommandSpec().name(name);
    command.getCommandSpec().usageMessage().description(description);
    for (CommandLine each : subcommands) {
      command.addSubcommand(each);
    }
    return command;
  }

  @Override
  public void run() {
    List<String> names = List.copyOf(spec.subcommands().keySet());
    throw new ParameterException(
        spec.commandLine(),
        "Name one of %s and %s."
            .formatted(
                names.subList(0, names.size() - 1).stream().collect(Collectors.joining(", ")),
                names.get(names.size() - 1)));
  }
}
