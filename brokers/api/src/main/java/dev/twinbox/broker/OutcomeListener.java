package dev.twinbox.broker;

import org.jspecify.annotations.Nullable;

/** Hears what became of a record. Called on a publisher's thread: return quickly, never block. */
@FunctionalInterface
public interface OutcomeListener {
  /** Called exactly once for each record that was handed over. */
  void settled(OutboxRecord record, Outcome outcome);

  /**
   * From when on the record must not be handed to the broker any more, on the clock of {@link
   * System#nanoTime}; null, the default, for never. Asked once, when the publisher takes the
   * record.
   */
  default @Nullable Long deadline() {
    return null;
  }
}
