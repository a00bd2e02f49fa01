package dev.twinbox.benchmarks.worker;

/**
 * One side of a ratio: something that brings messages from a database to a broker. Used by one
 * thread, but for {@link #transact}.
 */
public interface Side extends AutoCloseable {
  /** Puts the first so many messages of the source into its own tables, sending none. */
  void fill(int messages) throws Exception;

  /** The same while it sends, in one transaction. */
  default void pour(int messages) throws Exception {
    throw new UnsupportedOperationException(getClass().getSimpleName() + " fills when it stands");
  }

  /** Begins to send what waits and what comes. */
  void start() throws Exception;

  /** Ends sending; {@link #start} may follow. */
  void stop() throws Exception;

  /**
   * A whole business transaction: an insert of the application's own, and the message. Callable by
   * several threads.
   */
  default void transact(String key, byte[] payload) throws Exception {
    throw new UnsupportedOperationException(getClass().getSimpleName() + " has no write side");
  }

  @Override
  void close() throws Exception;
}
