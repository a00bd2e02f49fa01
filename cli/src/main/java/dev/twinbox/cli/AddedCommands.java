package dev.twinbox.cli;

import java.util.List;

/**
 * Subcommands that another module adds to the command {@code twinbox}. Found by {@link
 * java.util.ServiceLoader}: name the implementation, which has a public constructor without
 * arguments, in {@code META-INF/services/dev.twinbox.cli.AddedCommands}.
 */
public interface AddedCommands {
  /** New objects with picocli's annotation {@code @Command}, for one command line. */
  List<Object> commands();
}
