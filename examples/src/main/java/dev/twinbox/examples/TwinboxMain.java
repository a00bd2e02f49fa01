package dev.twinbox.examples;

import dev.twinbox.examples.demo.DemoCommand;
import dev.twinbox.examples.soak.SoakCommand;
import dev.twinbox.relay.cli.TwinboxCli;
import picocli.CommandLine;

/** What {@code bin/twinbox} runs. */
public final class TwinboxMain {
  private TwinboxMain() {}

  /** The command line; ends the process with the command's exit code. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return TwinboxCli.commandLine(new DemoCommand(), new SoakCommand());
  }
}
