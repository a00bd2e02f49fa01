package dev.twinbox.inbox;

import java.time.Duration;

/**
 * What an inbox does beside receiving, such as the upkeep of its tables and the redrive of
 * quarantined messages. Each consumer runs one, in daemon threads. Thread-safe.
 */
public interface BackgroundWork {
  /** Begins. Idempotent. */
  void start();

  /** Begins nothing any more; returns at once. */
  void stop();

  /** Stops and waits for what is in work; beyond the limit a handler is interrupted. */
  void close(Duration limit);
}
