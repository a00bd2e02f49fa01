package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Registers the consumer once and keeps a recent sample of the database's clock and horizon, so
 * that judging a delivery costs no statement.
 */
final class ConsumerRegistry {
  private static final long USABLE_MILLIS = 600_000;

  private final Transactions transactions;
  private final InboxStore store;
  private final String consumer;
  private final ReentrantLock refreshing = new ReentrantLock();
  private volatile @Nullable Registration latest;

  ConsumerRegistry(Transactions transactions, InboxStore store, String consumer) {
    this.transactions = transactions;
    this.store = store;
    this.consumer = consumer;
  }

  /** The registration, asked for in a transaction of its own where it is missing or old. */
  Registration current() {
    Registration known = latest;
    if (known != null && known.isFresh()) {
      return known;
    }
    if (known != null && known.age() < USABLE_MILLIS && refreshing.isLocked()) {
      return known;
    }
    refreshing.lock();
    try {
      known = latest;
      if (known != null && known.isFresh()) {
        return known;
      }
      Registration asked =
          transactions.run("The consumer '" + consumer + "' was not registered", this::register);
      latest = asked;
      return asked;
    } finally {
      refreshing.unlock();
    }
  }

  /**
   * The same for a transaction of the caller's. Only reads in it, because what it writes may be
   * rolled back; and prefers it, because the caller may hold the pool's only connection.
   */
  Registration currentIn(Connection connection) throws SQLException {
    Registration known = latest;
    if (known != null && known.isFresh()) {
      return known;
    }
    Registration found = store.registration(connection, consumer);
    if (found == null) {
      return current();
    }
    latest = found;
    return found;
  }

  private Registration register(Connection connection) throws SQLException {
    Registration found = store.registration(connection, consumer);
    if (found == null) {
      store.register(connection, consumer);
      found = store.registration(connection, consumer);
    }
    if (found == null) {
      throw new SQLException("The row of consumer '" + consumer + "' is not visible");
    }
    return found;
  }
}
