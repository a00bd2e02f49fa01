package dev.twinbox.broker;

import java.time.InstantSource;

/**
 * A configured broker: opens one publisher for each lane that drains to it. Thread-safe.
 *
 * <p>Opening a publisher never fails because the broker is down: its records then get {@link
 * Outcome.Unavailable}.
 */
public interface Broker extends AutoCloseable {
  /**
   * The part of a destination before the colon: {@code kafka}, {@code rabbitmq}, or with a name
   * {@code kafka@billing}.
   */
  String name();

  /** A publisher for one lane; the caller closes it. */
  Publisher open(int lane);

  /**
   * Gives the broker a better clock than this machine's, for times that it has to send: the
   * database's, as far as it is known. The default ignores it.
   */
  default void useClock(InstantSource clock) {}

  /** Closes shared connections. Publishers are closed before. */
  @Override
  void close();
}
