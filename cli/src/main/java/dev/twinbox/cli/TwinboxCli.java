package dev.twinbox.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command {@code twinbox}.
 *
 * <p>Other modules may add subcommands, as {@link AddedCommands}. The errors of all are shown in
 * the same way: a mistake in the arguments with the usage and exit code 2, everything else as one
 * sentence with exit code 1. Neither repeats what could be a secret.
 */
@Command(
    name = "twinbox",
    mixinStandardHelpOptions = true,
    version = "Twinbox 0.1.0-SNAPSHOT",
    description = "Keeps PostgreSQL and a message broker in agreement.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      MigrateCommand.class,
      GrantCommand.class,
      RelayCommand.class,
      StatusCommand.class,
      DoctorCommand.class,
      LanesCommand.class,
      RetentionCommand.class
    })
public final class TwinboxCli implements Runnable {
  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of an error.")
  private boolean verbose;

  @Spec private CommandSpec spec = CommandSpec.create();

  private TwinboxCli() {}

  /** The command line; ends the process with the command's exit code. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /** The command with all subcommands that are on the class path, ready to be executed. */
  public static CommandLine commandLine() {
    TwinboxCli root = new TwinboxCli();
    CommandLine command =
        new CommandLine(root)
            .addSubcommand(ReplayCommand.create())
            .addSubcommand(DeadLettersCommand.create())
            .addSubcommand(ScheduledCommand.create())
            .addSubcommand(QuarantineCommand.create());
    for (AddedCommands added : ServiceLoader.load(AddedCommands.class)) {
      added.commands().forEach(command::addSubcommand);
    }
    // These go to the subcommands that are there by now, and to no later ones.
    PlainConverters.register(command);
    return command
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExpandAtFiles(false)
        .setParameterExceptionHandler(TwinboxCli::complain)
        .setExecutionExceptionHandler(root::explain);
  }

  /** Called without a subcommand. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Name a command.");
  }

  /** Shows names, never values: what stands in the wrong place may be a password. */
  private static int complain(ParameterException error, String[] arguments) {
    CommandLine command = executed(error.getCommandLine());
    PrintWriter err = command.getErr();
    String complaint =
        error instanceof UnmatchedArgumentException unmatched
            ? unknown(unmatched.getUnmatched(), command.getParent() == null)
            : Explanation.line(error);
    err.println(command.getCommandSpec().qualifiedName() + ": " + complaint);
    err.println();
    command.usage(err);
    err.flush();
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  /** A command that is a method complains in the name of the one above, which it belongs to. */
  private static CommandLine executed(CommandLine complaining) {
    CommandLine.ParseResult parsed = complaining.getParseResult();
    while (parsed != null && parsed.hasSubcommand()) {
      parsed = parsed.subcommand();
    }
    return parsed == null ? complaining : parsed.commandSpec().commandLine();
  }

  private static String unknown(List<String> unmatched, boolean isRoot) {
    String options =
        unmatched.stream()
            .filter(argument -> argument.startsWith("-"))
            // As in -pPASSWORD, what follows a short option is its value.
            .map(option -> option.replaceFirst(option.startsWith("--") ? "=.*" : "(?<=^-.).*", ""))
            .collect(Collectors.joining(", "));
    if (!options.isEmpty()) {
      return "Unknown option: " + options;
    }
    return isRoot
        ? "There is no command '%s'.".formatted(unmatched.get(0))
        : "There is something on the command line that belongs to no option.";
  }

  private int explain(Exception error, CommandLine command, CommandLine.ParseResult ignored) {
    PrintWriter err = command.getErr();
    err.println(command.getCommandSpec().qualifiedName() + ": " + Explanation.of(error));
    if (verbose) {
      error.printStackTrace(err);
    }
    err.flush();
    return command.getCommandSpec().exitCodeOnExecutionException();
  }
}
