package dev.twinbox.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a command wants that changes many messages: a name, and a confirmation of how many. */
final class Confirmation {
  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it, for the audit; default is the user of this machine.")
  private String by = System.getProperty("user.name", "unknown");

  @Option(names = "--yes", description = "Do it, however many they are.")
  private boolean yes;

  @Option(names = "--count", paramLabel = "N", description = "Do it if they are exactly so many.")
  private @Nullable Long count;

  String by() {
    return by;
  }

  /** Refuses what was not confirmed; the refusal says how many they are. */
  void check(long found, String verb) {
    Long expected = count;
    if (expected != null && expected != found) {
      throw new CommandException(
          "There are %s messages to %s, not %s. Nothing was done."
              .formatted(found, verb, expected));
    }
    if (expected == null && !yes) {
      throw new CommandException(
          "This would %s %s messages. Nothing was done: repeat it with --count %s, or with --yes."
              .formatted(verb, found, found));
    }
  }
}
