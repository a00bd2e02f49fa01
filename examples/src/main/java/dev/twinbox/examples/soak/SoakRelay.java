package dev.twinbox.examples.soak;

import dev.twinbox.cli.TwinboxCli;

/** A relay process: the command {@code twinbox relay}, as it is. */
final class SoakRelay {
  private SoakRelay() {}

  public static void main(String[] arguments) {
    System.exit(TwinboxCli.commandLine().execute(arguments));
  }
}
