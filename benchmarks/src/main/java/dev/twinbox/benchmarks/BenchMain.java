package dev.twinbox.benchmarks;

import picocli.CommandLine;

/** What {@code bin/bench} runs. */
public final class BenchMain {
  private BenchMain() {}

  /** The command line; ends the process with the command's exit code. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return new CommandLine(new BenchCommand());
  }
}
