package dev.twinbox.relay.publish;

/** Hears what became of a record. Called on a publisher's thread: return quickly, never block. */
@FunctionalInterface
public interface OutcomeListener {
  /** Called exactly once for each record that was handed over. */
  void settled(OutboxRecord record, Outcome outcome);
}
