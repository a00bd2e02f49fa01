package dev.twinbox.examples.soak;

import java.util.Locale;

/** What a process of the soak is there for. */
enum Role {
  PRODUCER,
  RELAY,
  CONSUMER;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
