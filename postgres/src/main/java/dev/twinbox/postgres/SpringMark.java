package dev.twinbox.postgres;

import java.sql.Connection;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * What was found out about Spring's current transaction, so that only its first use is examined.
 * Bound to the thread rather than searched for among the synchronizations, of which there can be
 * thousands.
 */
final class SpringMark implements TransactionSynchronization {
  private static final Object KEY = SpringMark.class;

  private Connection connection;
  private boolean doubtful;
  private boolean ended;

  private SpringMark(Connection connection) {
    this.connection = connection;
  }

  static @Nullable SpringMark current() {
    return (SpringMark) TransactionSynchronizationManager.getResource(KEY);
  }

  /** Remembers the connection of the transaction. */
  static void put(Connection connection, boolean doubtful) {
    SpringMark mark = current();
    if (mark == null) {
      mark = new SpringMark(connection);
      TransactionSynchronizationManager.registerSynchronization(mark);
      TransactionSynchronizationManager.bindResource(KEY, mark);
    }
    mark.connection = connection;
    mark.doubtful |= doubtful;
  }

  boolean isOf(Connection target) {
    return connection == target;
  }

  void refuseEnded() {
    if (ended) {
      throw SpringScope.tooLate("afterCommit");
    }
  }

  /** Before everybody else's, so that theirs find the transaction ended. */
  @Override
  public int getOrder() {
    return Ordered.HIGHEST_PRECEDENCE;
  }

  @Override
  public void suspend() {
    unbind();
  }

  @Override
  public void resume() {
    TransactionSynchronizationManager.bindResource(KEY, this);
  }

  /** JTA may call what comes after the completion on another thread. */
  @Override
  public void beforeCompletion() {
    unbind();
  }

  @Override
  public void afterCommit() {
    ended = true;
    if (current() == null) {
      TransactionSynchronizationManager.bindResource(KEY, this);
    }
    if (doubtful && PostgresSession.isInTransaction(connection)) {
      throw SpringScope.tooLate(
          "afterCompletion, by a method that joined the finished transaction");
    }
  }

  @Override
  public void afterCompletion(int status) {
    unbind();
  }

  private void unbind() {
    if (current() == this) {
      TransactionSynchronizationManager.unbindResource(KEY);
    }
  }
}
