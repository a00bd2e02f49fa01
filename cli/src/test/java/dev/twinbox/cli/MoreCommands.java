package dev.twinbox.cli;

/** The command line for tests of other packages. */
public final class MoreCommands {
  /** The class of a process that is the command. */
  public static final String CLI_PROCESS = CliProcess.class.getName();

  private MoreCommands() {}

  /** What the command prints. */
  public static String out(String... arguments) {
    return Ran.twinbox(arguments).out();
  }

  /** What the command complains about. */
  public static String err(String... arguments) {
    return Ran.twinbox(arguments).err();
  }
}
