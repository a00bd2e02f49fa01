package dev.twinbox.inbox;

import java.sql.Connection;
import org.jooq.DSLContext;

/**
 * The recording of ids and the calls of handlers, for the transaction that a {@link
 * TransactionRunner} has begun. What it throws must reach the runner's own rollback.
 */
public interface TransactionalWork {
  /**
   * Runs on a connection that is in the transaction.
   *
   * @throws IllegalStateException when it is in none, or in one that cannot be written to
   */
  void on(Connection connection);

  /**
   * The same for jOOQ. The handler's {@link InboxTransaction#dsl()} has this context's settings.
   *
   * @throws IllegalStateException as above
   */
  void on(DSLContext dsl);
}
