package dev.twinbox.cli.memory;

import dev.twinbox.broker.doctor.Check;

/** What is looked for at a broker in memory. */
enum MemoryCheck implements Check {
  /** Does not exist. */
  MEMORY_TOPIC_MISSING;

  @Override
  public String risk() {
    return "Messages wait for it.";
  }

  @Override
  public boolean isRefused() {
    return false;
  }
}
