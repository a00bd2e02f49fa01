package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers the consumer once and keeps a recent sample of the database's clock and horizon, so
 * that judging a delivery costs no statement.
 */
final class ConsumerRegistry {
  private static final Logger log = LoggerFactory.getLogger(ConsumerRegistry.class);
  private static final long USABLE_MILLIS = 600_000;

  private final Transactions transactions;
  private final InboxStore store;
  private final String consumer;
  private final ReentrantLock refreshing = new ReentrantLock();
  private volatile @Nullable Registration latest;
  private volatile int lastId;

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
    lastId = found.consumerId();
    return found;
  }

  /** Something does not fit: asks the database before the next delivery is judged. */
  void doubt() {
    latest = null;
  }

  private Registration register(Connection connection) throws SQLException {
    Registration found = store.registration(connection, consumer);
    if (found == null) {
      int before = lastId;
      if (before != 0) {
        log.warn("The row of consumer '{}' was gone; it is registered again", consumer);
      }
      store.restoreRows(connection);
      store.register(connection, consumer, before);
      found = store.registration(connection, consumer);
    }
    if (found != null) {
      lastId = found.consumerId();
    }
    if (found == null) {
      throw new SQLException("The row of consumer '" + consumer + "' is not visible");
    }
    return found;
  }
}
