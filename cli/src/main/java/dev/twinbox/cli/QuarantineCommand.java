package dev.twinbox.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox quarantine}. */
@Command(
    name = "quarantine",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "Messages that consumers gave up or refused: look at them, have them handled once more,"
            + " discard them, bring them back.",
    subcommands = {
      QuarantineListCommand.class,
      QuarantineShowCommand.class,
      QuarantineGroupCommand.class,
      QuarantineRedriveCommand.class,
      QuarantineDiscardCommand.class,
      QuarantineRestoreCommand.class,
      QuarantinePassCommand.class
    })
final class QuarantineCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Name one of list, show, group, redrive, discard, restore and pass.");
  }
}
