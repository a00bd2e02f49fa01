package dev.twinbox.examples.demo;

import java.util.Locale;

/** The inboxes to choose from: each lies where its consumer's effects are. */
enum DemoInboxChoice {
  POSTGRESQL,
  REDIS;

  /** As users type it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
