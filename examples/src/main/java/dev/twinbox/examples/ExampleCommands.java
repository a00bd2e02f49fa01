package dev.twinbox.examples;

import dev.twinbox.cli.AddedCommands;
import dev.twinbox.examples.demo.DemoCommand;
import dev.twinbox.examples.soak.SoakCommand;
import java.util.List;

/** The demo and the soak, as subcommands of {@code twinbox}. */
public final class ExampleCommands implements AddedCommands {
  @Override
  public List<Object> commands() {
    return List.of(new DemoCommand(), new SoakCommand());
  }
}
