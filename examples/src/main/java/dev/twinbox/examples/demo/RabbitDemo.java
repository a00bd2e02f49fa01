package dev.twinbox.examples.demo;

import dev.twinbox.relay.cli.CommandException;

final class RabbitDemo {
  private RabbitDemo() {}

  static DemoBroker start() {
    throw new CommandException("later");
  }
}
