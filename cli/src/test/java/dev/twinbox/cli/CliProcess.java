package dev.twinbox.cli;

/** The command line as a process of its own. */
final class CliProcess {
  private CliProcess() {}

  public static void main(String[] arguments) {
    System.exit(TwinboxCli.commandLine().execute(arguments));
  }
}
