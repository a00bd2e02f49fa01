package dev.twinbox.relay.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command {@code twinbox}.
 *
 * <p>Others hand commands of their own to {@link #commandLine}. The errors of all are shown in the
 * same way: a mistake in the arguments with the usage and exit code 2, everything else as one
 * sentence with exit code 1.
 */
@Command(
    name = "twinbox",
    mixinStandardHelpOptions = true,
    version = "Twinbox 0.1.0-SNAPSHOT",
    description = "Keeps PostgreSQL and a message broker in agreement.",
    synopsisSubcommandLabel = "COMMAND")
public final class TwinboxCli implements Runnable {
  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of an error.")
  private boolean verbose;

  @Spec private CommandSpec spec = CommandSpec.create();

  private TwinboxCli() {}

  /**
   * The command, ready to be executed.
   *
   * @param more subcommands beside its own
   */
  public static CommandLine commandLine(Object... more) {
    TwinboxCli root = new TwinboxCli();
    CommandLine command = new CommandLine(root);
    for (Object subcommand : more) {
      command.addSubcommand(subcommand);
    }
    // These go to the subcommands that are there by now, and to no later ones.
    return command
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(root::explain);
  }

  /** Called without a subcommand. */
  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Name a command.");
  }

  private int explain(Exception error, CommandLine command, CommandLine.ParseResult ignored) {
    PrintWriter err = command.getErr();
    err.println("twinbox " + command.getCommandName() + ": " + Explanation.of(error));
    if (verbose) {
      error.printStackTrace(err);
    }
    err.flush();
    return command.getCommandSpec().exitCodeOnExecutionException();
  }
}
