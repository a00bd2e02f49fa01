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
  private volatile String stored;
  private volatile @Nullable Registration latest;
  private volatile int lastId;

  ConsumerRegistry(Transactions transactions, InboxStore store, String consumer) {
    this.transactions = transactions;
    this.store = store;
    this.consumer = consumer;
    stored = consumer;
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
      Registration asked = register();
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
    // A name that does not fit into the database would abort the caller's transaction.
    boolean sure = known != null || consumer.chars().allMatch(c -> c < 128);
    Registration found = sure ? store.registration(connection, stored) : null;
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

  /** A consumer's name where it does not fit into the database as it is. */
  static String escaped(String name) {
    return DatabaseText.escape(name, c -> c < 128);
  }

  private Registration register() {
    String complaint = "The consumer '" + consumer + "' was not registered";
    try {
      return transactions.run(complaint, this::register);
    } catch (DatabaseUnavailableException e) {
      if (!SqlTrouble.doesNotFit(e) || !stored.equals(consumer)) {
        throw e;
      }
      // Not for every text of a kind, since the names that do fit are in use.
      stored = escaped(consumer);
      return transactions.run(complaint, this::register);
    }
  }

  private Registration register(Connection connection) throws SQLException {
    Registration found = store.registration(connection, stored);
    if (found == null) {
      int before = lastId;
      if (before != 0) {
        log.warn("The row of consumer '{}' was gone; it is registered again", consumer);
      }
      store.register(connection, stored, before);
      found = store.registration(connection, stored);
      if (found == null) { // the row that it is made from is gone, too
        store.restoreRows(connection);
        store.register(connection, stored, before);
        found = store.registration(connection, stored);
      }
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
