package dev.twinbox.testkit;

import java.net.URI;

/** A node that somebody else runs: it can be used but not harmed. */
record GivenRabbit(URI amqp, URI management) implements RabbitNode {
  @Override
  public void start() {}

  @Override
  public void stop() {
    refuse();
  }

  @Override
  public void kill() {
    refuse();
  }

  @Override
  public void pause() {
    refuse();
  }

  @Override
  public void resume() {
    refuse();
  }

  @Override
  public void control(String... command) {
    refuse();
  }

  @Override
  public void remove() {}

  @Override
  public void checkAlive() {}

  private static void refuse() {
    throw new UnsupportedOperationException(
        "The node named by TWINBOX_RABBITMQ is not ours to control; unset the variable to run this"
            + " test on a private node");
  }
}
