package dev.twinbox.cli;

import dev.twinbox.setaside.SetAside;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A command on messages that are set aside, with the options that all of them have. */
abstract class SetAsideSubcommand<T extends SetAside> implements Callable<Integer> {
  final SetAsidePlace<T> place;

  @Mixin ConnectionOptions connection = new ConnectionOptions();

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  @Spec CommandSpec spec = CommandSpec.create();

  SetAsideSubcommand(SetAsidePlace<T> place) {
    this.place = place;
  }

  /** The command with its name and description; what it selects by is added. */
  CommandLine named(String name, String... description) {
    CommandLine command = new CommandLine(this);
    spec.name(name);
    spec.usageMessage().description(description);
    spec.mixinStandardHelpOptions(true);
    addOptions(command);
    return command;
  }

  /** Adds options that depend on the place. */
  void addOptions(CommandLine command) {}

  PrintWriter out() {
    return spec.commandLine().getOut();
  }

  void print(String line) {
    out().println(line);
    out().flush();
  }
}
