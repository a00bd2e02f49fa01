package dev.twinbox.examples.demo;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/**
 * Reads along at the broker and sends every twentieth message once more, with the same id: what a
 * crash between publishing and noting it down does.
 */
abstract class Saboteur implements AutoCloseable {
  private static final int EVERY = 20;

  private final Set<UUID> repeated = new HashSet<>();
  private volatile long originals;
  private volatile long copies;

  /** How many messages it has seen that were not its own. */
  final long originals() {
    return originals;
  }

  final long copies() {
    return copies;
  }

  /** Stops after what it sends has been confirmed. */
  @Override
  public abstract void close();

  /** Whether to send this message again; to be asked by one thread, once for each message read. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
  final boolean wantsToRepeat(UUID id) {
    if (repeated.contains(id)) {
      return false;
    }
    boolean repeat = originals % EVERY == 0;
    if (repeat) {
      repeated.add(id);
      copies++;
    }
    originals++;
    return repeat;
  }
}
