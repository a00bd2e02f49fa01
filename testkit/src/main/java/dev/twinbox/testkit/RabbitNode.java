package dev.twinbox.testkit;

import java.net.URI;
import java.nio.file.Path;

/** One RabbitMQ node, wherever it runs. */
interface RabbitNode {
  URI amqp();

  URI management();

  /** Starts the node on what it kept, without waiting until it accepts connections. */
  void start();

  /** Ends the node in good order, if it runs. */
  void stop();

  void kill();

  void pause();

  void resume();

  void control(String... command);

  /** Ends the node and removes everything it kept. */
  void remove();

  /** Copies what the node has written to its logs into a folder that exists, where we have them. */
  default void saveLogs(Path into) {}

  /** Fails, with a reason, when the node has ended or cannot be reached any more. */
  void checkAlive();
}
